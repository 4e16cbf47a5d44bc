"""Logs the best trial's model to the parent run: a built-in workload's as a scikit-learn model, others' files as they are.

A built-in checkpoint is arrays and JSON; the model is saved in skops' format, so that neither writing nor loading it runs
code. What a user's function put in its checkpoint is copied and never opened.
"""

import logging
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.datasets.description import DatasetDescription, DatasetNumbers, read_description
from tuningsweep_trainer.results.checkpoints import CheckpointStore
from tuningsweep_trainer.results.store import open_store
from tuningsweep_trainer.tracking.dataset_input import NAMED_COLUMNS
from tuningsweep_trainer.tracking.events import TrackingEvent

TAG_LOGGED: Final = "tuningsweep.best.logged"
"""On the parent run once its model is there: sending the event again must not log it twice."""
MODEL_NAME: Final = "model"
CHECKPOINT_FOLDER: Final = "checkpoint"
REQUIREMENTS: Final = ("mlflow", "scikit-learn", "skops")
"""What loading the model takes."""

log = logging.getLogger(__name__)


def log_best(client: Any, run: str, sweep: TuningSweep, results: str, best: TrackingEvent) -> None:
    """Log the best trial's last checkpoint, once; a log line says so where there is none."""
    checkpoints = CheckpointStore(results, best.trial)
    checkpoint = checkpoints.latest()
    if checkpoint is None or checkpoint.empty:
        log.info("no model is logged to MLflow: the best trial saved no checkpoint", extra={"trial": best.trial})
        return
    mark = f"{best.trial}/{checkpoint.number}"
    if client.get_run(run).data.tags.get(TAG_LOGGED) == mark:
        return
    with tempfile.TemporaryDirectory(prefix="tuningsweep-model-") as scratch:
        folder = Path(scratch) / CHECKPOINT_FOLDER
        checkpoints.fetch(checkpoint.number, folder)
        builtin = sweep.spec.trainable.builtin
        if builtin is None:
            client.log_artifacts(run, str(folder), CHECKPOINT_FOLDER)
        else:
            found = read_description(open_store(results))
            if found is None:
                log.warning("no model is logged to MLflow: the data set's description is not in the results")
                return
            # Here: it brings scikit-learn, and drivers import this module too.
            from tuningsweep_trainer.workloads.model import trained_model

            arguments = {**sweep.spec.trainable.arguments, **best.parameters}
            model = trained_model(folder, arguments, builtin, *found)
            log_model(client, run, model, example_of(*found), Path(scratch) / MODEL_NAME, checkpoint.step)
    client.set_tag(run, TAG_LOGGED, mark)
    log.info("the best model is logged to MLflow", extra={"trial": best.trial})


def example_of(description: DatasetDescription, numbers: DatasetNumbers) -> Any:
    """The first validation rows as a user has them: a DataFrame, or an array where the columns are too many to name."""
    example = numbers.example.astype(np.float64)
    return example if example.shape[1] > NAMED_COLUMNS else pd.DataFrame(example, columns=description.columns)


def log_model(client: Any, run: str, model: Any, example: Any, folder: Path, step: int) -> None:
    """What `mlflow.sklearn.log_model` does, for a client and a run of our own instead of the process's current ones."""
    import mlflow.sklearn
    from mlflow.entities import LoggedModelOutput
    from mlflow.models import Model, infer_signature

    experiment = client.get_run(run).info.experiment_id
    logged = client.create_logged_model(experiment, name=MODEL_NAME, source_run_id=run, model_type="sklearn")
    try:
        mlflow.sklearn.save_model(
            model,
            folder,
            mlflow_model=Model(
                artifact_path=logged.artifact_location, run_id=run, model_uuid=logged.model_id, model_id=logged.model_id
            ),
            serialization_format=mlflow.sklearn.SERIALIZATION_FORMAT_SKOPS,
            signature=infer_signature(example, model.predict(example)),
            input_example=example,
            # Left out, MLflow would load the model in a process of its own to find out.
            pip_requirements=[f"{name}=={version(name)}" for name in REQUIREMENTS],
        )
        client.log_model_artifacts(logged.model_id, str(folder))
    except BaseException:
        client.delete_logged_model(logged.model_id)
        raise
    client.finalize_logged_model(logged.model_id, "READY")
    client.log_outputs(run, [LoggedModelOutput(logged.model_id, step)])
