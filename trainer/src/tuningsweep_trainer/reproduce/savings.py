"""The open question: CPU time an arm saved, and what that cost in the best objective, against the same run of `none`.

Pure; for the figure and the page of savings. An arm is a way to run a workload's sweep: without limits, with them, and so on.
"""

from dataclasses import dataclass
from typing import Final

import pandas as pd

from tuningsweep_trainer.reproduce.arms import Arm
from tuningsweep_trainer.reproduce.averages import label

Range = tuple[float, float]
"""The lowest and the highest of the runs."""
ARMS: Final = tuple(arm.value for arm in Arm if arm is not Arm.NONE)
"""Those with a baseline, in the order of tables and legends."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an arm did to a workload, over its runs."""

    workload: str
    """With "(stand-in data)" where they are."""
    arm: str
    runs: int
    trials: int
    stopped: int
    pruned: int
    skipped: int
    falsely_skipped: int
    """Of the skipped, those that stayed within the limits in the run without any."""
    saved_percent: float
    """Of the CPU seconds of `none`; negative where it took more."""
    saved_range: Range
    saved_seconds: float
    """CPU seconds, mean over the runs."""
    worse_percent: float | None
    """Change of the best objective in % of that of `none`, above 0 where it got worse; None where an arm left no best."""
    worse_range: Range | None
    objective: str

    @property
    def ended_early(self) -> int:
        """Trials that did not run to their end."""
        return self.stopped + self.pruned + self.skipped


def compared(savings: pd.DataFrame) -> pd.DataFrame:
    """Rows of `savings` other than the baseline's with `saved_seconds`, `saved_percent` and `worse_percent` of their run.

    Runs without a baseline are left out.
    """
    keys = ["workload", "run"]
    baseline = savings.loc[savings["arm"] == Arm.NONE.value, [*keys, "cpu_seconds", "best_objective"]]
    pairs = savings[savings["arm"] != Arm.NONE.value].merge(baseline, on=keys, suffixes=("", "_none"))
    sign = pairs["goal"].map({"minimize": 1.0, "maximize": -1.0}).astype(float)
    change = sign * (pairs["best_objective"] - pairs["best_objective_none"]) + 0.0  # no minus before a zero
    saved = pairs["cpu_seconds_none"] - pairs["cpu_seconds"]
    return pairs.assign(
        saved_seconds=saved,
        saved_percent=100 * saved / pairs["cpu_seconds_none"],
        worse_percent=100 * change / pairs["best_objective_none"].abs(),
    )


def outcomes(savings: pd.DataFrame) -> list[Outcome]:
    """Every workload and arm that was run beside the baseline."""
    pairs = compared(savings)
    found = []
    for (workload, stand_in), of_workload in pairs.groupby(["workload", "stand_in"]):
        for arm in ARMS:
            rows = of_workload[of_workload["arm"] == arm]
            if not rows.empty:
                found.append(_outcome(label(str(workload), stand_in=bool(stand_in)), arm, rows))
    return found


def _outcome(workload: str, arm: str, rows: pd.DataFrame) -> Outcome:
    worse = rows["worse_percent"].dropna()
    counts = {name: int(rows[name].sum()) for name in ("trials", "stopped", "pruned", "skipped", "falsely_skipped")}
    return Outcome(
        workload=workload,
        arm=arm,
        runs=len(rows),
        **counts,
        saved_percent=float(rows["saved_percent"].mean()),
        saved_range=_range(rows["saved_percent"]),
        saved_seconds=float(rows["saved_seconds"].mean()),
        worse_percent=float(worse.mean()) if len(worse) == len(rows) else None,
        worse_range=_range(worse) if len(worse) == len(rows) else None,
        objective=str(rows["objective"].iloc[0]),
    )


def _range(values: "pd.Series[float]") -> Range:
    return float(values.min()), float(values.max())
