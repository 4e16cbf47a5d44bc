"""The pure half of preparing: which rows train and which validate, what the target becomes, how features are scaled.

Called by the store. Everything is decided from indices and in blocks of rows, so that no second copy of the features exists.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from tuningsweep_api.spec.trainable import Task
from tuningsweep_trainer.datasets.frames import FIELD
from tuningsweep_trainer.errors import DatasetError

VALIDATION_SHARE: Final = 0.3
MAX_CLASSES: Final = 1000
BLOCK_BYTES: Final = 8 * 2**20

Floats = np.ndarray[Any, np.dtype[np.float64]]
Indices = np.ndarray[Any, np.dtype[np.intp]]


@dataclass(frozen=True)
class Target:
    """What is predicted: class codes (int64) with the names of classes, or numbers (float64) with no names."""

    values: np.ndarray[Any, Any]
    classes: list[str]


def target_of(values: np.ndarray[Any, Any], task: Task) -> Target:
    """The target in the form the task needs; DatasetError if its values do not suit the task."""
    return _classes(values) if task is Task.CLASSIFICATION else Target(_numbers(values), [])


def _classes(values: np.ndarray[Any, Any]) -> Target:
    if values.dtype == object:
        values = values.astype(str)
    names, codes = np.unique(values, return_inverse=True)
    if len(names) < 2:
        raise DatasetError(f"{FIELD}.target: all rows are of one class; choose a column with two classes or more")
    if len(names) > MAX_CLASSES:
        raise DatasetError(
            f"{FIELD}.target has {len(names)} distinct values, more than {MAX_CLASSES} classes;"
            " write spec.trainable.builtin.task: regression, or choose another column"
        )
    return Target(codes.astype(np.int64), [str(name) for name in names])


def _numbers(values: np.ndarray[Any, Any]) -> Floats:
    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DatasetError(
            f"{FIELD}.target holds values that are not numbers; write spec.trainable.builtin.task: classification,"
            " or choose another column"
        ) from error
    if not np.isfinite(numbers).all():
        raise DatasetError(f"{FIELD}.target holds infinite values; give a data set without them")
    return numbers


def split(target: Target, seed: int) -> tuple[Indices, Indices]:
    """Shuffled indices of training and validation rows, 70/30; stratified where every class has rows for both."""
    rows = len(target.values)
    if rows < 4:
        raise DatasetError(f"{FIELD}: {rows} rows are too few to split; give at least 4")
    # A second's import that whoever reads a description can do without.
    from sklearn.model_selection import train_test_split

    groups = target.values if _can_stratify(target, rows) else None
    training, validation = train_test_split(
        np.arange(rows), test_size=VALIDATION_SHARE, random_state=seed, stratify=groups
    )
    return training, validation


def _can_stratify(target: Target, rows: int) -> bool:
    if not target.classes:
        return False
    return bool(np.bincount(target.values).min() >= 2 and int(rows * VALIDATION_SHARE) >= len(target.classes))


def block_rows(columns: int) -> int:
    """Rows of one block of BLOCK_BYTES of float64."""
    return max(1, BLOCK_BYTES // (8 * columns))


def blocks(features: np.ndarray[Any, Any], chosen: Indices) -> Iterator[tuple[slice, Floats]]:
    """The chosen rows as float64, block by block, with the place of each block among the chosen."""
    size = block_rows(features.shape[1])
    for start in range(0, len(chosen), size):
        place = slice(start, min(start + size, len(chosen)))
        yield place, features[chosen[place]].astype(np.float64)


def scaling(features: np.ndarray[Any, Any], training: Indices) -> tuple[Floats, Floats]:
    """Mean and standard deviation of every column over the training rows; constant columns get 1 as deviation."""
    columns = features.shape[1]
    mean, squares = np.zeros(columns), np.zeros(columns)
    for _, block in blocks(features, training):
        mean += block.sum(axis=0)
    mean /= len(training)
    for _, block in blocks(features, training):
        block -= mean
        squares += np.einsum("ij,ij->j", block, block)
    variance = squares / len(training)
    return mean, np.where(_is_constant(variance, mean, len(training)), 1.0, np.sqrt(variance))


def _is_constant(variance: Floats, mean: Floats, rows: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Whether a column's variance is no more than what rounding makes of a constant, whatever its unit.

    The test of scikit-learn's scaler (`sklearn.preprocessing._data._is_constant_feature`): the error bound of a variance in
    two passes, by Chan, Golub and LeVeque. For float32 too, as sums are float64.
    """
    rounding = rows * np.finfo(np.float64).eps
    constant: np.ndarray[Any, np.dtype[np.bool_]] = variance <= rounding * variance + (rounding * mean) ** 2
    return constant
