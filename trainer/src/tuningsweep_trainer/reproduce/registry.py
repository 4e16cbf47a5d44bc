"""Which figure is which: the thesis's numbers 5 to 28 with what each shows of which workloads.

The issue behind this reproduction gives the ranges (5 to 10 within runs, 11 to 28 by batch size and learning rate, for
classification and regression) and the quantities, not the order; the order is ours: six quantities within runs, then six
for each of three groups of workloads.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pandas as pd

from tuningsweep_trainer.reproduce.quantities import (
    ACCURACY,
    CPU,
    MEAN_STEP_TIME,
    MEMORY,
    RMSE,
    TRAINING_LOSS,
    TRAINING_TIME,
    VALIDATION_LOSS,
    Quantity,
)

LOSSES: Final = (TRAINING_LOSS, VALIDATION_LOSS)


@dataclass(frozen=True, slots=True)
class Group:
    """Workloads that share a figure."""

    title: str
    holds: Callable[[pd.DataFrame], "pd.Series[bool]"]
    """Which rows of tidy data belong to it."""


@dataclass(frozen=True, slots=True)
class PlannedFigure:
    """A figure before there is data."""

    number: int
    quantities: tuple[Quantity, ...]
    """One, or training and validation loss together."""
    group: Group
    within_runs: bool
    """Over the steps of a run; otherwise by batch size and by learning rate."""

    @property
    def name(self) -> str:
        """For files and addresses: figure-05."""
        return f"figure-{self.number:02d}"

    @property
    def subject(self) -> str:
        """What is measured: "memory", "training and validation loss"."""
        return "training and validation loss" if self.quantities == LOSSES else self.quantities[0].title

    @property
    def title(self) -> str:
        """Its heading."""
        subject = self.subject[0].upper() + self.subject[1:]
        if self.within_runs:
            return f"Figure {self.number}. {subject} over the steps of a run"
        return f"Figure {self.number}. {subject} by batch size and learning rate, {self.group.title}"


def _everything(rows: pd.DataFrame) -> "pd.Series[bool]":
    return pd.Series(data=True, index=rows.index)


def _regression(rows: pd.DataFrame) -> "pd.Series[bool]":
    return rows["task"] == "regression"


def _classification_of(name: str) -> Callable[[pd.DataFrame], "pd.Series[bool]"]:
    return lambda rows: (rows["task"] == "classification") & rows["workload"].str.startswith(name)


ALL: Final = Group("all workloads", _everything)
MNIST: Final = Group("classification of MNIST", _classification_of("mnist"))
DIABETES: Final = Group("classification of Diabetes", _classification_of("diabetes"))
REGRESSION: Final = Group("regression", _regression)

_WITHIN_RUNS: Final[tuple[tuple[Quantity, ...], ...]] = (
    LOSSES,
    (ACCURACY,),
    (RMSE,),
    (MEAN_STEP_TIME,),
    (CPU,),
    (MEMORY,),
)


def _by_setting(quality: Quantity) -> tuple[tuple[Quantity, ...], ...]:
    return (LOSSES, (quality,), (MEAN_STEP_TIME,), (TRAINING_TIME,), (CPU,), (MEMORY,))


def _numbered() -> tuple[PlannedFigure, ...]:
    groups = ((MNIST, ACCURACY), (DIABETES, ACCURACY), (REGRESSION, RMSE))
    planned = [
        *((quantities, ALL) for quantities in _WITHIN_RUNS),
        *((quantities, group) for group, quality in groups for quantities in _by_setting(quality)),
    ]
    return tuple(
        PlannedFigure(number, quantities, group, within_runs=group is ALL)
        for number, (quantities, group) in enumerate(planned, start=5)
    )


FIGURES: Final = _numbered()
"""Figures 5 to 28."""
