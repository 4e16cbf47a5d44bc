"""Claims about what batch size and learning rate do to system metrics, and what CPU % tells. Pure."""

from typing import Final

import pandas as pd

from tuningsweep_trainer.reproduce.claims.claim import Claim, Statement, bounds, by_workload, not_measured
from tuningsweep_trainer.reproduce.effects import MATTERS, VISIBLE, FactorEffect, configuration_spread, factor_effect
from tuningsweep_trainer.reproduce.intervals import Interval
from tuningsweep_trainer.reproduce.quantities import CPU, MEAN_STEP_TIME, MEMORY, SYSTEM_METRICS, Quantity
from tuningsweep_trainer.reproduce.reading import Tidy

LARGE: Final = ("mnist", "wave_energy")
"""How the names of the large data sets begin: 70,000 and 72,000 rows; Diabetes has 768, red wine 1,599."""
USELESS: Final = 1.10
"""Ratio between the busiest and the idlest configuration up to which CPU % tells nothing."""
COUNTS: Final = (
    f'the interval of partial eta squared lies above {VISIBLE:g} (Cohen\'s "small") and the levels differ by'
    f" {100 * (MATTERS - 1):.0f} % or more"
)
EFFECT: Final = "partial eta squared, two-way analysis of variance of the metric's logarithm"

CPU_USELESS: Final = Statement(
    "cpu-no-measure",
    "CPU % is no useful measure: it does not tell configurations apart",
    "CPU % of the busiest configuration over that of the idlest",
    f"its interval reaches no further than {USELESS:g}",
    "ratio",
)


def learning_rate_statement(quantity: Quantity) -> Statement:
    """The claim that the learning rate leaves a metric alone."""
    return Statement(
        f"learning-rate-{quantity.title.lower().replace(' ', '-')}",
        f"The learning rate does not affect {quantity.title}",
        EFFECT,
        f"not both: {COUNTS}",
        "partial eta squared",
    )


def batch_size_statement(quantity: Quantity) -> Statement:
    """The claim that large batches raise a metric on large data sets."""
    return Statement(
        f"batch-size-{quantity.title.lower().replace(' ', '-')}",
        f"On large data sets a large batch raises {quantity.title}",
        EFFECT,
        f"{COUNTS}, the largest batch above the smallest",
        "partial eta squared",
    )


def learning_rate(tidy: Tidy) -> list[Claim]:
    """Each system metric of each workload."""
    found = []
    for quantity in SYSTEM_METRICS:
        statement = learning_rate_statement(quantity)
        for workload, rows in by_workload(tidy.trials):
            effect = factor_effect(rows, quantity, "learning_rate")
            found.append(_claim(statement, workload, effect, None if effect is None else _negated(effect.counts)))
    return found


def batch_size(tidy: Tidy) -> list[Claim]:
    """Step time and memory of the workloads on large data sets."""
    large = tidy.trials[tidy.trials["dataset"].str.lower().str.startswith(LARGE)]
    found = []
    for quantity in (MEAN_STEP_TIME, MEMORY):
        statement = batch_size_statement(quantity)
        if large.empty:
            found.append(not_measured(statement, "no trial on a large data set"))
        for workload, rows in by_workload(large):
            effect = factor_effect(rows, quantity, "batch_size", ends=True)
            found.append(_claim(statement, workload, effect, None if effect is None else effect.counts))
    return found


def cpu(tidy: Tidy) -> list[Claim]:
    """How far CPU % differs between the configurations of a workload, beside what step time does."""
    found = []
    for workload, rows in by_workload(tidy.trials):
        spread = configuration_spread(rows, CPU)
        if spread is None:
            found.append(not_measured(CPU_USELESS, "CPU % of fewer than two configurations is known", workload))
            continue
        ratio, interval = spread
        agrees = bounds(ratio, interval)[1] <= USELESS
        note = f"mean {rows['cpu_percent'].mean():.1f} %{_beside(rows)}"
        found.append(Claim(CPU_USELESS, workload, ratio, interval, len(rows), agrees, note))
    return found


def _beside(rows: pd.DataFrame) -> str:
    steps = configuration_spread(rows, MEAN_STEP_TIME)
    return "" if steps is None else f"; mean step time differs by a factor of {steps[0]:.3g}"


def _negated(counts: bool | None) -> bool | None:
    return None if counts is None else not counts


def _claim(statement: Statement, workload: str, effect: FactorEffect | None, agrees: bool | None) -> Claim:
    if effect is None:
        return not_measured(statement, "no two levels were run", workload)
    note = f"{effect.highest:,g} against {effect.lowest:,g}: factor {effect.ratio:.4g}{_between(effect.ratio_interval)}"
    if effect.effect is None:
        return not_measured(statement, f"no configuration was run twice; {note}", workload)
    share = effect.effect
    return Claim(statement, workload, share.partial_eta_squared, share.interval, effect.trials, agrees, note)


def _between(interval: Interval | None) -> str:
    return "" if interval is None else f" ({interval[0]:.4g} to {interval[1]:.4g})"
