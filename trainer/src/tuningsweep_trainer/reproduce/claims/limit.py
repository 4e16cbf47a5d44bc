"""The thesis's example for early stopping: runs over 400 MB would be stopped. Pure.

The sweeps of the arm `400Mi` were really stopped by the product; the unlimited runs say how many trials should have been.
"""

from typing import Final

import pandas as pd

from tuningsweep_trainer.reproduce.arms import Arm
from tuningsweep_trainer.reproduce.claims.claim import Claim, Statement, by_workload, not_measured
from tuningsweep_trainer.reproduce.quantities import MIB
from tuningsweep_trainer.reproduce.reading import Tidy

LIMIT: Final = 400 * MIB
"""Of Arm.EXAMPLE, bytes."""

RUNS_OVER_400: Final = Statement(
    "runs-over-400",
    "Runs over 400 MB would be stopped",
    "share of trials stopped by a memory limit of 400 MiB",
    "some trials go over it without limits, and as many were stopped (give or take one)",
    "%",
)


def runs_over_400(tidy: Tidy) -> list[Claim]:
    """What the limit stopped, for the workloads whose sweep was run with it."""
    example = tidy.savings[tidy.savings["arm"] == Arm.EXAMPLE.value]
    found = []
    for workload, sweeps in by_workload(example):
        trials = tidy.trials[tidy.trials["workload"] == sweeps["workload"].iloc[0]]
        found.append(_claim(workload, trials, sweeps))
    return found or [not_measured(RUNS_OVER_400, "no sweep was run with this limit")]


def _claim(workload: str, trials: pd.DataFrame, sweeps: pd.DataFrame) -> Claim:
    peaks = trials["peak_memory_bytes"].dropna()
    if peaks.empty:
        return not_measured(RUNS_OVER_400, "no trial without limits to compare with", workload)
    total, stopped, over = int(sweeps["trials"].sum()), int(sweeps["stopped"].sum()), int((peaks > LIMIT).sum())
    share = 100 * stopped / total
    agrees = over > 0 and abs(share - 100 * over / len(peaks)) <= 100 / total
    highest = f"highest {peaks.max() / MIB:.0f} MiB"
    note = f"stopped {stopped} of {total}; without limits {over} of {len(peaks)} go over it, {highest}"
    return Claim(RUNS_OVER_400, workload, share, None, total, agrees, note)
