"""One copy of a prepared data set a node: written once under a lock, mapped read-only by every training process.

The node agent calls `prepare`, training processes call `attach`. Mapped pages are shared, so they do not count in
RSS-SHR: a trial's memory is its own. Target values of a regression are standardised as features are, so that one
learning rate means the same for every data set; `target_scale` leads back to the target's unit.
"""

import fcntl
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from tuningsweep_api.model import Model
from tuningsweep_api.spec.dataset import Dataset
from tuningsweep_api.spec.trainable import Task
from tuningsweep_trainer.datasets.description import (
    EXAMPLE_ROWS,
    DatasetDescription,
    DatasetNumbers,
    column_names,
    digest_of,
    write_description,
)
from tuningsweep_trainer.datasets.frames import FIELD, Rows
from tuningsweep_trainer.datasets.openml_source import server_address
from tuningsweep_trainer.datasets.sources import load
from tuningsweep_trainer.datasets.splitting import Floats, Indices, blocks, scaling, split, target_of
from tuningsweep_trainer.errors import DatasetError

LAYOUT: Final = 3
"""Raised when the files change, or what is made of the same rows, so that folders of an older image are not taken."""
REFERENCE_FILE: Final = "reference.json"

log = logging.getLogger(__name__)


class PreparedRef(Model):
    """Where a prepared data set is on this node, and what is in it."""

    folder: str
    """Folder of the arrays."""
    training_rows: int
    """Rows to train on."""
    validation_rows: int
    """Rows to validate on."""
    features: int
    """Columns of features."""
    classes: list[str] = []
    """Names of the classes; empty for regression."""
    target_scale: float = 1.0
    """Standard deviation of a regression target over the training rows, in the target's unit."""


@dataclass(frozen=True)
class PreparedData:
    """Arrays mapped read-only: features C-ordered float64 (rows x columns), targets int64 codes or float64 (rows)."""

    training_features: Floats
    training_target: np.ndarray[Any, Any]
    validation_features: Floats
    validation_target: np.ndarray[Any, Any]
    classes: list[str]
    target_scale: float


def prepare(dataset: Dataset, task: Task, seed: int, root: Path) -> PreparedRef:
    """Load, split, scale and write a data set under `root` unless it is there already; DatasetError if it cannot be."""
    folder = root / _key(dataset, task, seed)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _locked(folder.with_suffix(".lock")):
            if not folder.is_dir():
                _write_whole(load(dataset, task), task, seed, folder)
            return PreparedRef.model_validate_json((folder / REFERENCE_FILE).read_text())
    except DatasetError:
        raise
    except OSError as error:
        raise DatasetError(
            f"{FIELD} cannot be written under {root} ({error.strerror or error});"
            " give the workers a volume there that can be written and has room"
        ) from error
    except Exception as error:  # of libraries and of rows that nobody has thought of
        log.exception("the data set cannot be prepared")
        raise DatasetError(
            f"{FIELD} cannot be prepared ({type(error).__name__}: {str(error)[:300]});"
            f" add the columns that it speaks of to {FIELD}.dropColumns, or give another data set;"
            " the log of the node agent has the traceback"
        ) from error


def attach(ref: PreparedRef) -> PreparedData:
    """Map a prepared data set; DatasetError if it is not on this node."""
    folder = Path(ref.folder)
    try:
        arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _names()}
    except OSError as error:
        raise DatasetError(f"{FIELD}: {folder} is not on this node ({error.strerror}); prepare it first") from error
    return PreparedData(**arrays, classes=ref.classes, target_scale=ref.target_scale)


def _names() -> tuple[str, ...]:
    return ("training_features", "training_target", "validation_features", "validation_target")


def _key(dataset: Dataset, task: Task, seed: int) -> str:
    """Name of the folder: a hash of all that decides its content."""
    request: dict[str, object] = {"layout": LAYOUT, "dataset": dataset.dump(), "task": task.value, "seed": seed}
    if dataset.openml is not None:
        request["server"] = server_address(dataset.openml)
    if dataset.file is not None and Path(dataset.file.location).is_file():
        status = Path(dataset.file.location).stat()
        request["file"] = [status.st_mtime_ns, status.st_size]
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()[:32]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _write_whole(rows: Rows, task: Task, seed: int, folder: Path) -> None:
    """Write into a folder beside and rename it; what a killed writer left there is removed first."""
    unfinished = folder.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    try:
        _check_room(rows, unfinished)
        reference = _write(rows, task, seed, unfinished, folder)
        (unfinished / REFERENCE_FILE).write_text(reference.model_dump_json(by_alias=True))
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _check_room(rows: Rows, folder: Path) -> None:
    count, columns = rows.features.shape
    needed = 8 * count * (columns + 1)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DatasetError(
            f"{FIELD}: the prepared rows need {needed / 2**20:.0f} MiB under {folder.parent},"
            f" where {free / 2**20:.0f} MiB are free; give that volume more room, or take fewer rows or columns"
        )


def _write(rows: Rows, task: Task, seed: int, unfinished: Path, folder: Path) -> PreparedRef:
    target = target_of(rows.target, task)
    training, validation = split(target, seed)
    mean, deviation = scaling(rows.features, training)
    values, centre, scale = target.values, 0.0, 1.0
    if not target.classes:
        centre, scale = float(values[training].mean()), float(values[training].std()) or 1.0
        values = (values - centre) / scale
    for name, chosen in (("training", training), ("validation", validation)):
        _write_features(unfinished / f"{name}_features.npy", rows.features, chosen, mean, deviation)
        np.save(unfinished / f"{name}_target.npy", values[chosen])
    labels = rows.target.dtype
    description = DatasetDescription(
        digest=digest_of(unfinished / f"{name}.npy" for name in _names()),
        training_rows=len(training),
        validation_rows=len(validation),
        columns=column_names(rows),
        column_type=rows.features.dtype.name,
        target=rows.target_name,
        classes=target.classes,
        class_type=labels.name if labels.kind in "iuf" else "str",
        target_centre=centre,
        target_scale=scale,
    )
    example = rows.features[validation[:EXAMPLE_ROWS]]
    write_description(unfinished, description, DatasetNumbers(mean, deviation, example))
    return PreparedRef(
        folder=str(folder),
        training_rows=len(training),
        validation_rows=len(validation),
        features=rows.features.shape[1],
        classes=target.classes,
        target_scale=scale,
    )


def _write_features(
    path: Path, features: np.ndarray[Any, Any], chosen: Indices, mean: Floats, deviation: Floats
) -> None:
    out = np.lib.format.open_memmap(path, mode="w+", dtype=np.float64, shape=(len(chosen), features.shape[1]))
    _reserve(path)
    for place, block in blocks(features, chosen):
        block -= mean
        block /= deviation
        out[place] = block
    out.flush()


def _reserve(path: Path) -> None:
    """Claim the file's blocks now: writing a hole through a mapping ends in SIGBUS when the file system is full."""
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
