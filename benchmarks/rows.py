"""A measured figure beside its baselines and its goal: the row of results.json and of the table. All pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound for our value: a number, or a factor of a baseline measured in the same run."""

    comparison: Literal["<=", ">=", "<"]
    value: float
    of: str | None = None
    """Name of the baseline that `value` is a factor of."""

    @property
    def text(self) -> str:
        """As in the table."""
        if self.of is None:
            return f"{self.comparison} {self.value:g}"
        return f"{self.comparison} {self.of}" if self.value == 1 else f"{self.comparison} {self.value:.4g} x {self.of}"

    def met(self, ours: float, baselines: Mapping[str, float]) -> bool | None:
        """Whether `ours` keeps the bound; None where the baseline was not measured."""
        bound = self.value if self.of is None else self.value * baselines.get(self.of, math.nan)
        if math.isnan(bound):
            return None
        if self.comparison == "<":
            return ours < bound
        return ours <= bound if self.comparison == "<=" else ours >= bound


@dataclass(frozen=True, slots=True)
class Row:
    """One measured figure."""

    figure: str
    unit: str
    ours: float
    baselines: dict[str, float] = field(default_factory=dict)
    goals: tuple[Goal, ...] = ()
    """All must be met."""
    note: str = ""
    """How it was measured, where that is not plain, and why a goal was missed."""
    detail: dict[str, Any] = field(default_factory=dict)
    """Further numbers for the JSON alone."""

    @property
    def met(self) -> bool | None:
        """Whether every goal was met; None without a goal, or where one could not be judged and none was missed."""
        verdicts = [goal.met(self.ours, self.baselines) for goal in self.goals]
        if False in verdicts:
            return False
        return None if not verdicts or None in verdicts else True

    def dump(self) -> dict[str, Any]:
        """As in results.json."""
        return {
            "figure": self.figure,
            "unit": self.unit,
            "ours": self.ours,
            "baselines": self.baselines,
            "goal": ", ".join(goal.text for goal in self.goals),
            "met": self.met,
            "note": self.note,
            "detail": self.detail,
        }
