"""What a claim of the thesis and its measurement consist of."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tuningsweep_trainer.reproduce.averages import label
from tuningsweep_trainer.reproduce.intervals import Interval


@dataclass(frozen=True, slots=True)
class Statement:
    """A claim before there is data."""

    id: str
    claim: str
    """What the thesis found, in our words."""
    measure: str
    """What `measured` is."""
    rule: str
    """When the measurement agrees."""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim beside its measurement for a workload."""

    statement: Statement
    workload: str
    """With "(stand-in data)" where they are; empty where nothing was measured."""
    measured: float | None
    interval: Interval | None
    """95 %."""
    n: int
    """Trials behind it."""
    agrees: bool | None
    """None where it was not measured, or there is nothing of the thesis to compare it with; `note` says which."""
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """For claims.json."""
        statement = self.statement
        return {
            "id": statement.id,
            "claim": statement.claim,
            "workload": self.workload,
            "measure": statement.measure,
            "rule": statement.rule,
            "measured": self.measured,
            "interval": None if self.interval is None else list(self.interval),
            "unit": statement.unit,
            "n": self.n,
            "agrees": self.agrees,
            "note": self.note,
        }


def not_measured(statement: Statement, why: str, workload: str = "") -> Claim:
    """A claim for which there are no data."""
    return Claim(statement, workload, None, None, 0, None, f"not measured: {why}")


def bounds(measured: float, interval: Interval | None) -> Interval:
    """What a rule judges: the interval, or with a single run the value alone."""
    return interval or (measured, measured)


def by_workload(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each workload's label and rows."""
    for (workload, stand_in), found in rows.groupby(["workload", "stand_in"]):
        yield label(str(workload), stand_in=bool(stand_in)), found
