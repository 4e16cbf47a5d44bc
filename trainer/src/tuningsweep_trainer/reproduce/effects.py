"""How much batch size and learning rate change a metric; pure, for the claims and the table of effects.

Two measures each: partial eta squared of a two-way analysis of variance of the metric's logarithm (is it visible over the
noise between runs), and the ratio between the factor's levels (is it large enough to matter).
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from tuningsweep_trainer.reproduce.anova import Effect, effect_of
from tuningsweep_trainer.reproduce.averages import CONFIGURATION, diverged
from tuningsweep_trainer.reproduce.intervals import Interval, geometric
from tuningsweep_trainer.reproduce.quantities import SYSTEM_METRICS, Quantity

FACTORS: Final = {"batch_size": "learning_rate", "learning_rate": "batch_size"}
"""Each factor with the other one."""
VISIBLE: Final = 0.01
"""Partial eta squared from which an effect is no longer nothing: Cohen's "small"."""
MATTERS: Final = 1.05
"""Ratio between levels from which an effect matters."""


@dataclass(frozen=True, slots=True)
class FactorEffect:
    """What one factor does to one metric of one workload."""

    workload: str
    stand_in: bool
    quantity: Quantity
    factor: str
    trials: int
    effect: Effect | None
    """None where it can't be told from noise, with a single run for example."""
    lowest: Any
    highest: Any
    """The levels whose ratio is given."""
    ratio: float
    ratio_interval: Interval | None

    @property
    def counts(self) -> bool | None:
        """Whether it is both visible and large enough to matter; None where that can't be said."""
        if self.effect is None:
            return None
        return self.effect.interval[0] >= VISIBLE and self.ratio >= MATTERS


def effects(trials: pd.DataFrame) -> list[FactorEffect]:
    """Both factors on every system metric, by workload; the ratio is between the levels with the largest and least mean."""
    found = [
        factor_effect(rows, quantity, factor)
        for _, rows in trials.groupby("workload")
        for quantity in SYSTEM_METRICS
        for factor in FACTORS
    ]
    return [effect for effect in found if effect is not None]


def factor_effect(trials: pd.DataFrame, quantity: Quantity, factor: str, *, ends: bool = False) -> FactorEffect | None:
    """Effect of a factor on a metric of one workload's trials; None where there are no two levels to compare.

    With `ends` the ratio is that of the factor's largest to its smallest level.
    """
    rows = usable(trials, quantity)
    tables = level_means(rows, factor)
    if tables.shape[1] < 2 or tables.empty:
        return None
    order = tables.columns if ends else tables.mean().sort_values().index
    lowest, highest = order[0], order[-1]
    ratio, interval = geometric(list(np.exp(tables[highest] - tables[lowest])))
    effect = effect_of(list(rows[factor]), list(rows[FACTORS[factor]]), list(rows["value"]))
    first = rows.iloc[0]
    return FactorEffect(
        str(first["workload"]),
        bool(first["stand_in"]),
        quantity,
        factor,
        len(rows),
        effect,
        lowest,
        highest,
        ratio,
        interval,
    )


def usable(trials: pd.DataFrame, quantity: Quantity) -> pd.DataFrame:
    """Trials that trained to their end with the metric known, its logarithm as `value`."""
    metric = trials[quantity.column]
    rows = trials[(trials["outcome"] == "Succeeded") & ~diverged(trials) & metric.notna() & (metric > 0)]
    return rows.assign(value=np.log(rows[quantity.column].astype(float)))


def level_means(rows: pd.DataFrame, factor: str) -> pd.DataFrame:
    """Means of `value`, a row a run and a column a level, over those levels of the other factor that have all of them."""
    other = FACTORS[factor]
    cells = rows.pivot_table(index=["run", other], columns=factor, values="value")
    return cells.dropna().groupby(level="run").mean()


def configuration_spread(trials: pd.DataFrame, quantity: Quantity) -> tuple[float, Interval | None] | None:
    """Ratio of the configurations with the largest and the least metric, over the runs that have both."""
    rows = usable(trials, quantity)
    table = rows.pivot_table(index="run", columns=CONFIGURATION[2:], values="value")
    if table.shape[1] < 2:
        return None
    order = table.mean().sort_values().index
    pairs = (table[order[-1]] - table[order[0]]).dropna()
    return geometric(list(np.exp(pairs))) if len(pairs) else None
