"""From a table to numbers: what is encoded, and which column a refusal names."""

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from tuningsweep_api.outcomes import ConditionReason
from tuningsweep_trainer.datasets.frames import rows_of
from tuningsweep_trainer.errors import DatasetError

DAYS = [date(2026, 1, day) for day in (1, 2, 3, 4)]


def table(columns=(), **more):
    return pd.DataFrame({"x": np.arange(4, dtype=np.uint8), "y": [0, 1, 0, 1], **dict(columns), **more})


def objects(*values):
    return pd.Series(values, dtype=object)


def test_small_integers_keep_their_dtype():
    rows = rows_of(table().drop(columns=[]), "y", [])
    assert rows.features.dtype == np.uint8
    assert rows.target.tolist() == [0, 1, 0, 1]


def test_categories_become_one_column_each():
    rows = rows_of(table(colour=["red", "blue", "red", "red"]), "y", [])
    assert rows.features.tolist() == [[0, 0, 1], [1, 1, 0], [2, 0, 1], [3, 0, 1]]


@pytest.mark.parametrize(
    "values",
    [
        [Decimal("0.25"), Decimal("1.5"), Decimal("0.25"), Decimal(-3)],
        [2**64, 1, 2**70, -5],
        [2**64, 1.5, 2**70, -5],
    ],
)
def test_numbers_that_come_as_objects_are_numbers(values):
    rows = rows_of(table(n=objects(*values)), "y", [])
    assert rows.columns == ["x", "n"]
    assert rows.features[:, 1].tolist() == [float(value) for value in values]


@pytest.mark.parametrize("values", [["a", "b", "a", "a"], [b"a", b"b", b"a", b"a"], [True, False, True, True]])
def test_strings_bytes_and_truth_values_are_categories_also_as_objects(values):
    rows = rows_of(table(c=objects(*values)), "y", [])
    assert sorted(rows.features[:, 1:].sum(axis=0).tolist()) == [1, 3]


def test_nullable_integers_and_booleans_are_numbers():
    rows = rows_of(table(n=pd.array([1, 2, 3, 4], dtype="Int64"), b=[True, False, True, True]), "y", [])
    assert rows.features[:, 1:].tolist() == [[1, 1], [2, 0], [3, 1], [4, 1]]
    assert rows.features.dtype.kind in "fiu"


def test_dropped_columns_may_hold_anything():
    rows = rows_of(table(bad=[None, "a", "b", None]), "y", ["bad"])
    assert rows.features.shape == (4, 1)


@pytest.mark.parametrize(
    ("columns", "target", "dropped", "words"),
    [
        ({}, "z", [], r"dataset\.target: there is no column 'z'; write one of x, y"),
        ({}, None, [], r"dataset\.target: this data set has no default target; write one of its columns: x, y"),
        ({}, "y", ["w"], r"dataset\.dropColumns: there is no column 'w'"),
        ({}, "y", ["y"], r"dataset\.dropColumns has the target 'y'"),
        ({}, "y", ["x"], r"dataset\.dropColumns leaves no column"),
        ({"m": [1.0, np.nan, 2.0, 3.0]}, "y", [], r"column 'm' has missing values; add it to .*dropColumns"),
        ({"m": [1.0, np.inf, 2.0, 3.0]}, "y", [], "column 'm' has infinite values"),
        ({"m": pd.date_range("2026-01-01", periods=4)}, "y", [], "column 'm' holds datetime64"),
        (
            {"m": DAYS},
            "y",
            [],
            r"'m' holds date, neither .*; add it to .*dropColumns or write numbers or strings there",
        ),
        ({"m": [[1], [2], [1], [2]]}, "y", [], "column 'm' holds list, neither numbers nor categories"),
        ({"m": objects("a", 1, "a", 1)}, "y", [], "column 'm' holds int and str, neither"),
        ({"m": objects(Decimal(1), None, Decimal(1), 3)}, "y", [], "column 'm' has missing values"),
        ({"m": objects(1, pd.NA, 2, 3)}, "y", [], "column 'm' has missing values"),
        ({"m": objects(*map(Decimal, ("1e400", 1, 2, 3)))}, "y", [], "column 'm' has infinite values"),
        ({"m": list("abab"), "m_a": [1, 2, 3, 4]}, "y", [], r"two columns are named 'm_a' once .*dropColumns"),
        ({1: [1, 2, 3, 4], "1": [5, 6, 7, 8]}, "y", [], r"two columns are named '1'; name one otherwise"),
        ({"m": pd.Categorical([1, "1", 1, "1"])}, "y", [], "two columns are named 'm_1' once categories"),
        ({"m": [1.0, np.nan, 2.0, 3.0]}, "m", [], r"dataset\.target: column 'm' has missing values"),
    ],
)
def test_a_refusal_names_field_and_column(columns, target, dropped, words):
    with pytest.raises(DatasetError, match=words) as caught:
        rows_of(table(columns), target, dropped)
    assert caught.value.reason is ConditionReason.DATASET_UNAVAILABLE
