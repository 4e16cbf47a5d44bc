"""Claims about the course of a run: system metrics stay level, memory from its start. Pure."""

from typing import Final

import pandas as pd

from tuningsweep_trainer.reproduce import within_runs
from tuningsweep_trainer.reproduce.claims.claim import Claim, Statement, bounds, by_workload, not_measured
from tuningsweep_trainer.reproduce.intervals import t_interval
from tuningsweep_trainer.reproduce.quantities import CPU, MEAN_STEP_TIME, MEMORY, Quantity
from tuningsweep_trainer.reproduce.reading import Tidy

LEVEL: Final = 10.0
"""Coefficient of variation, %, up to which a run counts as level."""
GROWN: Final = 5.0
"""Growth, %, up to which memory counts as level from the start."""

MEMORY_FROM_START: Final = Statement(
    "memory-level-from-start",
    "Memory is level within a run, its start included",
    "growth from the first sample to the mean after warm-up (median of a run's trials, mean over the runs)",
    f"its interval reaches no further than {GROWN:g} %",
    "%",
)


def level_statement(quantity: Quantity) -> Statement:
    """The claim that a system metric stays level."""
    title = quantity.title if quantity is CPU else quantity.title.capitalize()
    return Statement(
        f"level-{quantity.column.removesuffix('_seconds').removesuffix('_bytes').replace('_', '-')}",
        f"{title} stays level within a run",
        "coefficient of variation within a trial after warm-up (median of a run's trials, mean over the runs)",
        f"its interval reaches no further than {LEVEL:g} %",
        "%",
    )


def level(tidy: Tidy) -> list[Claim]:
    """Each system metric of each workload."""
    found = []
    for quantity in (MEAN_STEP_TIME, MEMORY, CPU):
        percent = within_runs.variation(tidy.samples, quantity)
        percent["value"] *= 100
        found += _judged(level_statement(quantity), percent, LEVEL)
    return found


def memory_from_start(tidy: Tidy) -> list[Claim]:
    """Growth of memory at the start of a run."""
    percent = within_runs.growth(tidy.samples, MEMORY)
    percent["value"] = (percent["value"] - 1) * 100
    return _judged(MEMORY_FROM_START, percent, GROWN)


def _judged(statement: Statement, of_trials: pd.DataFrame, most: float) -> list[Claim]:
    if of_trials.empty:
        why = f"no trial has {within_runs.FEWEST_SAMPLES} samples after warm-up"
        return [not_measured(statement, why)]
    claims = []
    for workload, rows in by_workload(of_trials):
        of_runs = rows.groupby("run")["value"].median()
        measured, interval = float(of_runs.mean()), t_interval(list(of_runs))
        agrees = bounds(measured, interval)[1] <= most
        note = f"90 % of the trials are below {rows['value'].quantile(0.9):.3g} %"
        claims.append(Claim(statement, workload, measured, interval, len(rows), agrees, note))
    return claims
