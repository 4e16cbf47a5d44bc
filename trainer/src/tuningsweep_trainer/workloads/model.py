"""A trained built-in model as scikit-learn users expect one: from rows as they came to classes or numbers as they came.

Called by tracking with a trial's checkpoint. The trial trained on standardised rows and class codes; the pipeline made
here has the scaling in it, predicts the classes by their names, and a regression target in its own unit.
"""

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from tuningsweep_api.spec.trainable import BuiltinTrainable
from tuningsweep_trainer.datasets.description import DatasetDescription, DatasetNumbers
from tuningsweep_trainer.workloads import state
from tuningsweep_trainer.workloads.builtin import new_estimator
from tuningsweep_trainer.workloads.hyperparameters import hyperparameters


def trained_model(
    checkpoint: Path,
    parameters: dict[str, Any],
    spec: BuiltinTrainable,
    description: DatasetDescription,
    numbers: DatasetNumbers,
) -> Pipeline:
    """The model of a checkpoint folder; ValueError if the checkpoint is of another data set."""
    estimator = new_estimator(hyperparameters(parameters), spec)
    state.restore(checkpoint, estimator, len(description.columns))
    if isinstance(estimator, SGDClassifier):
        estimator.classes_ = np.array(description.classes).astype(description.class_type)[estimator.classes_]
    else:
        estimator.coef_ = estimator.coef_ * description.target_scale
        estimator.intercept_ = estimator.intercept_ * description.target_scale + description.target_centre
    return Pipeline([("scale", _scaler(numbers, description)), ("model", estimator)])


def _scaler(numbers: DatasetNumbers, description: DatasetDescription) -> StandardScaler:
    """A scaler as fitted on the training rows."""
    scaler = StandardScaler()
    scaler.mean_, scaler.scale_, scaler.var_ = numbers.mean, numbers.deviation, numbers.deviation**2
    scaler.n_features_in_, scaler.n_samples_seen_ = len(numbers.mean), description.training_rows
    scaler.feature_names_in_ = np.array(description.columns, dtype=object)
    return scaler
