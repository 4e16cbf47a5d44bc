"""Averages over the runs of a configuration, with their spread: what the figures draw. Pure.

A configuration is a workload with a batch size and a learning rate. Trials that diverged beyond float64 report
losses.BOUND; they are no part of an average and are counted by `diverged`.
"""

from collections.abc import Sequence
from typing import Final

import pandas as pd

from tuningsweep_trainer.reproduce.quantities import Quantity
from tuningsweep_trainer.workloads.losses import BOUND

CONFIGURATION: Final = ["workload", "stand_in", "batch_size", "learning_rate"]
LOSSES: Final = ("train_loss", "validation_loss")
BINS: Final = 40
"""Points of a curve."""


def by_configuration(trials: pd.DataFrame, quantity: Quantity) -> pd.DataFrame:
    """CONFIGURATION with mean, low, high (smallest and largest of the runs, in the quantity's unit) and runs."""
    return _over_runs(_known(trials, quantity), CONFIGURATION)


def by_step(samples: pd.DataFrame, quantity: Quantity, bins: int = BINS) -> pd.DataFrame:
    """CONFIGURATION and step with mean, low, high and runs.

    Samples of a run are averaged over at most `bins` stretches of equal length, each named by its last step, because
    runs are not sampled at the same steps; what was sampled before the first step is at step 0.
    """
    known = _known(samples, quantity)
    last = known.groupby("workload")["step"].transform("max")
    width = (-(-last // bins)).clip(lower=1)
    ends = -(-known["step"] // width) * width
    known = known.assign(step=ends.where(ends <= last, last))
    of_run = known.groupby([*CONFIGURATION, "step", "run"])["value"].mean().reset_index()
    return _over_runs(of_run, [*CONFIGURATION, "step"])


def diverged(trials: pd.DataFrame, columns: Sequence[str] = LOSSES) -> "pd.Series[bool]":
    """Trials whose losses, or other columns, left the range of float64."""
    return (trials[list(columns)].abs() >= BOUND).any(axis=1)


def label(workload: str, *, stand_in: bool) -> str:
    """A workload's name wherever it is shown: made-up data are never shown as the real ones."""
    return f"{workload} (stand-in data)" if stand_in else workload


def _known(rows: pd.DataFrame, quantity: Quantity) -> pd.DataFrame:
    values = rows[quantity.column]
    kept = values.notna() & (values.abs() < BOUND)
    return rows.loc[kept].assign(value=values[kept] * quantity.factor)


def _over_runs(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    grouped = rows.groupby(keys)["value"]
    return grouped.agg(mean="mean", low="min", high="max", runs="count").reset_index()
