"""Logs the sweep's data set as an input of the parent run, from its description in the results: no row is loaded."""

import json
import logging
from pathlib import Path
from typing import Any, Final

import numpy as np

from tuningsweep_api.spec.dataset import Dataset
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.datasets.description import DatasetDescription, read_description
from tuningsweep_trainer.datasets.openml_source import server_address
from tuningsweep_trainer.results.store import Store
from tuningsweep_trainer.secrets import public_url

NAMED_COLUMNS: Final = 2_000
"""Columns up to which a schema names each; a wider one has its shape alone, since MLflow takes 1 MiB at most."""

log = logging.getLogger(__name__)


def log_dataset(client: Any, run: str, sweep: TuningSweep, results: Store) -> None:
    """One input with name, source, digest, schema and rows; function and command trainables bring their own data."""
    from mlflow.entities import Dataset as MlflowDataset
    from mlflow.entities import DatasetInput, InputTag

    builtin = sweep.spec.trainable.builtin
    if builtin is None:
        return
    found = read_description(results)
    if found is None:
        log.warning("the data set is not logged to MLflow: its description is not in the results")
        return
    description = found[0]
    kind, source = source_of(builtin.dataset)
    dataset = MlflowDataset(
        name=name_of(builtin.dataset),
        digest=description.digest,
        source_type=kind,
        source=json.dumps(source),
        schema=json.dumps(schema_of(description)),
        profile=json.dumps(profile_of(description)),
    )
    client.log_inputs(run, [DatasetInput(dataset, [InputTag("mlflow.data.context", "training, validation")])])


def name_of(dataset: Dataset) -> str:
    """A short name for people."""
    if dataset.openml is not None:
        name = dataset.openml.name or f"openml-{dataset.openml.id}"
        return name if dataset.openml.version is None else f"{name}-v{dataset.openml.version}"
    if dataset.bundled is not None:
        return dataset.bundled.value
    if dataset.file is not None:
        return Path(public_url(dataset.file.location)).name
    return "generated"


def source_of(dataset: Dataset) -> tuple[str, dict[str, Any]]:
    """MLflow's source type and the source as it writes one."""
    if dataset.openml is not None:
        server, spec = public_url(server_address(dataset.openml)), dataset.openml
        if spec.id is not None:
            return "http", {"url": f"{server}/data/{spec.id}"}
        version = f"/data_version/{spec.version}" if spec.version is not None else ""
        return "http", {"url": f"{server}/data/list/data_name/{spec.name}{version}"}
    if dataset.file is not None:
        location = public_url(dataset.file.location)
        kind = location.partition("://")[0] if "://" in location else "local"
        if kind in ("http", "https"):
            return "http", {"url": location}
        return ("s3" if kind == "s3" else "local"), {"uri": location}
    if dataset.bundled is not None:
        return "code", {"tags": {"mlflow.source.name": f"sklearn.datasets.load_{dataset.bundled.value}"}}
    assert dataset.generated is not None
    made = {name: str(value) for name, value in dataset.generated.dump().items()}
    return "code", {"tags": {"mlflow.source.name": "sklearn.datasets", **made}}


def profile_of(description: DatasetDescription) -> dict[str, Any]:
    """Sizes, as MLflow shows them."""
    profile: dict[str, Any] = {
        "num_rows": description.training_rows + description.validation_rows,
        "training_rows": description.training_rows,
        "validation_rows": description.validation_rows,
        "features": len(description.columns),
    }
    return profile | ({"classes": len(description.classes)} if description.classes else {})


def schema_of(description: DatasetDescription) -> dict[str, Any]:
    """In MLflow's form: named columns, the target last, or tensors where the columns are too many to name."""
    from mlflow.types import ColSpec, Schema, TensorSpec

    if len(description.columns) > NAMED_COLUMNS:
        features = TensorSpec(np.dtype(description.column_type), (-1, len(description.columns)))
        return {"mlflow_tensorspec": {"features": Schema([features]).to_json(), "targets": None}}
    columns = [ColSpec(_kind(description.column_type), name) for name in description.columns]
    target = "double" if not description.classes else _kind(description.class_type)
    return {"mlflow_colspec": Schema([*columns, ColSpec(target, description.target)]).to_dict()}


def _kind(numpy_name: str) -> str:
    """MLflow's type for a NumPy one."""
    kind = np.dtype(numpy_name).kind
    return {"f": "double", "i": "long", "u": "long", "b": "boolean"}.get(kind, "string")
