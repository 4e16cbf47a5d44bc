"""What a prepared data set holds, kept in the sweep's results for those who have no use for its rows.

`store.prepare` writes it beside the arrays, the node agent copies it to the results, and tracking reads it there: the
driver needs neither the rows nor a second download to name the data set and to put a trained model into its units.
"""

import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from tuningsweep_api.model import Model
from tuningsweep_trainer.datasets.frames import Rows
from tuningsweep_trainer.datasets.splitting import Floats
from tuningsweep_trainer.results.store import Store

FOLDER: Final = "dataset"
DESCRIPTION_FILE: Final = "description.json"
NUMBERS_FILE: Final = "numbers.npz"
EXAMPLE_ROWS: Final = 5


class DatasetDescription(Model):
    """A prepared data set without its rows."""

    digest: str
    """Hash of the prepared arrays (32 hexadecimal digits): equal digests mean equal rows, split and scaling."""
    training_rows: int
    validation_rows: int
    columns: list[str]
    """Names of the features, categories one-hot encoded."""
    column_type: str
    """NumPy's name of the features' type in the source, e.g. float64."""
    target: str
    """Name of the predicted column."""
    classes: list[str] = []
    """Names of the classes; empty for regression."""
    class_type: str = "str"
    """NumPy's name of the target's type where the classes are numbers."""
    target_centre: float = 0.0
    """Mean of a regression target over the training rows, in its own unit."""
    target_scale: float = 1.0
    """Its standard deviation there."""


@dataclass(frozen=True)
class DatasetNumbers:
    """Mean and standard deviation of every feature over the training rows, and the first validation rows as they came."""

    mean: Floats
    deviation: Floats
    example: np.ndarray[Any, Any]


def write_description(folder: Path, description: DatasetDescription, numbers: DatasetNumbers) -> None:
    """Beside the prepared arrays."""
    (folder / DESCRIPTION_FILE).write_text(description.model_dump_json(by_alias=True))
    np.savez(folder / NUMBERS_FILE, mean=numbers.mean, deviation=numbers.deviation, example=numbers.example)


def publish_description(folder: Path, results: Store) -> None:
    """Copy it to the results; every node that prepares the data set writes the same."""
    for name in (NUMBERS_FILE, DESCRIPTION_FILE):
        results.write(f"{FOLDER}/{name}", (folder / name).read_bytes())


def read_description(results: Store) -> tuple[DatasetDescription, DatasetNumbers] | None:
    """From the results; None if no built-in workload has run."""
    text, numbers = results.read(f"{FOLDER}/{DESCRIPTION_FILE}"), results.read(f"{FOLDER}/{NUMBERS_FILE}")
    if text is None or numbers is None:
        return None
    with np.load(io.BytesIO(numbers), allow_pickle=False) as arrays:
        return DatasetDescription.read(text), DatasetNumbers(arrays["mean"], arrays["deviation"], arrays["example"])


def digest_of(files: Iterable[Path]) -> str:
    """Hash of files' contents one after the other."""
    digest = hashlib.blake2b(digest_size=16)
    for path in files:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, hashlib.blake2b).digest())
    return digest.hexdigest()


def column_names(rows: Rows) -> list[str]:
    """Names of the features; x0, x1, ... where the source has none."""
    return rows.columns or [f"x{number}" for number in range(rows.features.shape[1])]
