"""From a table to numbers: target split off, columns dropped, categories one-hot encoded, missing values refused.

Called by the sources that deliver tables (OpenML, files). Every refusal names the field of the spec and the column.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from tuningsweep_trainer.errors import DatasetError

FIELD = "spec.trainable.builtin.dataset"
MAX_CATEGORIES = 1000
MAX_NAMES = 20
OBJECTS_OF_NUMBERS = {"decimal", "integer", "floating", "mixed-integer-float"}
"""Columns that pandas has no dtype for: Parquet's decimals, integers above 64 bits. In words of `infer_dtype`."""
OBJECTS_OF_CATEGORIES = {"string", "bytes", "boolean"}


@dataclass(frozen=True)
class Rows:
    """Features (rows x columns, numeric, C or Fortran order) and target (rows) as the source has them."""

    features: np.ndarray[Any, Any]
    target: np.ndarray[Any, Any]
    columns: list[str] = field(default_factory=list)
    """Names of the features; empty where the source has none."""
    target_name: str = "target"


def rows_of(frame: pd.DataFrame, target: str | None, dropped: list[str]) -> Rows:
    """Numeric features and the target of a table; DatasetError says which column is in the way."""
    frame = frame.set_axis(frame.columns.map(str), axis=1)  # Parquet may number them, a spec writes names
    _check_names(frame.columns, "; name one otherwise")
    if target is None:
        raise DatasetError(
            f"{FIELD}.target: this data set has no default target; write one of its columns: {_names(frame)}"
        )
    _check_columns(frame, target, dropped)
    features = frame.drop(columns=[target, *dropped])
    if features.shape[1] == 0:
        raise DatasetError(f"{FIELD}.dropColumns leaves no column to train on; drop fewer columns")
    features = _with_numbers(features)
    _check_values(features)
    features = _encoded(features)
    advice = f"name one otherwise, or add the column that one is made of to {FIELD}.dropColumns"
    _check_names(features.columns, f" once categories have columns of their own; {advice}")
    return Rows(_numbers(features), _target_values(frame[target], target), list(features.columns), target)


def _check_columns(frame: pd.DataFrame, target: str, dropped: list[str]) -> None:
    if target not in frame.columns:
        raise DatasetError(f"{FIELD}.target: there is no column {target!r}; write one of {_names(frame)}")
    if target in dropped:
        raise DatasetError(f"{FIELD}.dropColumns has the target {target!r}; take it out of the list")
    for name in dropped:
        if name not in frame.columns:
            raise DatasetError(f"{FIELD}.dropColumns: there is no column {name!r}; write columns of {_names(frame)}")


def _check_names(names: "pd.Index[Any]", more: str) -> None:
    twice = names[names.duplicated()]
    if len(twice):
        raise DatasetError(f"{FIELD}: two columns are named {twice[0]!r}{more}")


def _names(frame: pd.DataFrame) -> str:
    names = list(frame.columns)
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return ", ".join(names[:MAX_NAMES]) + more


def _check_values(features: pd.DataFrame) -> None:
    for name, column in features.items():
        if column.isna().any():
            _refuse(name, "has missing values")
        if types.is_float_dtype(column.dtype) and not np.isfinite(column.to_numpy(dtype=np.float64)).all():
            _refuse(name, "has infinite values")
        if not types.is_numeric_dtype(column.dtype) and not _is_category(column):
            _refuse(name, f"holds {_held(column)}, neither numbers nor categories", "write numbers or strings there")
        if _is_category(column) and column.nunique() > MAX_CATEGORIES:
            _refuse(name, f"has more than {MAX_CATEGORIES} categories")


def _refuse(name: object, fault: str, instead: str = "give a data set without such values") -> None:
    raise DatasetError(f"{FIELD}: column {str(name)!r} {fault}; add it to {FIELD}.dropColumns or {instead}")


def _held(column: "pd.Series[Any]") -> str:
    """What a refused column holds: its dtype, or the types of its objects."""
    if not types.is_object_dtype(column.dtype):
        return str(column.dtype)
    return " and ".join(sorted({type(value).__name__ for value in column}))


def _with_numbers(features: pd.DataFrame) -> pd.DataFrame:
    """Numbers that come as objects as float64; columns with missing values are left to be refused."""
    found = features.copy(deep=False)
    for name, column in features.items():
        if types.is_object_dtype(column.dtype) and _kind(column) in OBJECTS_OF_NUMBERS and not column.isna().any():
            found[name] = column.astype(np.float64)
    return found


def _kind(column: "pd.Series[Any]") -> str:
    return types.infer_dtype(column, skipna=True)


def _is_category(column: "pd.Series[Any]") -> bool:
    dtype = column.dtype
    if types.is_object_dtype(dtype):
        return _kind(column) in OBJECTS_OF_CATEGORIES
    return isinstance(dtype, pd.CategoricalDtype) or types.is_string_dtype(dtype)


def _encoded(features: pd.DataFrame) -> pd.DataFrame:
    categories = [name for name in features.columns if _is_category(features[name])]
    return pd.get_dummies(features, columns=categories, dtype=np.uint8) if categories else features


def _numbers(features: pd.DataFrame) -> np.ndarray[Any, Any]:
    values = features.to_numpy()
    return values if values.dtype.kind in "fiub" else features.to_numpy(dtype=np.float64)


def _target_values(column: "pd.Series[Any]", name: str) -> np.ndarray[Any, Any]:
    if column.isna().any():
        raise DatasetError(f"{FIELD}.target: column {name!r} has missing values; give a data set without them")
    return np.asarray(column.to_numpy())
