"""A model's state as a checkpoint folder: weights in .npz, the step in JSON; nothing that runs code when it is read.

Called by the training loop. scikit-learn's partial_fit depends on nothing else, so a resumed run is bit-equal.
"""

import json
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from sklearn.linear_model import SGDClassifier, SGDRegressor

Estimator: TypeAlias = SGDClassifier | SGDRegressor

WEIGHTS_FILE: Final = "weights.npz"
STATE_FILE: Final = "state.json"


def save(folder: Path, estimator: Estimator, step: int) -> None:
    """Write the state after `step` steps into an existing folder."""
    np.savez(folder / WEIGHTS_FILE, coef=estimator.coef_, intercept=estimator.intercept_)
    classes = estimator.classes_.tolist() if isinstance(estimator, SGDClassifier) else []
    (folder / STATE_FILE).write_text(json.dumps({"step": step, "t": float(estimator.t_), "classes": classes}))


def restore(folder: Path, estimator: Estimator, features: int) -> int:
    """Put the state into a new estimator; its step. ValueError if the checkpoint is of another data set."""
    state = json.loads((folder / STATE_FILE).read_text())
    with np.load(folder / WEIGHTS_FILE, allow_pickle=False) as weights:
        coef, intercept = weights["coef"], weights["intercept"]
    if coef.shape[-1] != features:
        raise ValueError(f"checkpoint {folder} has {coef.shape[-1]} features, the data set {features}")
    estimator.coef_, estimator.intercept_, estimator.t_ = coef, intercept, state["t"]
    estimator.n_features_in_ = features
    if isinstance(estimator, SGDClassifier):
        estimator.classes_ = np.array(state["classes"], dtype=np.int64)
    return int(state["step"])
