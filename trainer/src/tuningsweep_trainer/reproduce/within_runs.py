"""How steady a quantity is within a run: its coefficient of variation after warm-up, and how it got there. Pure."""

from typing import Final

import pandas as pd

from tuningsweep_trainer.reproduce.quantities import CPU, MEAN_STEP_TIME, Quantity

WARM_UP_SHARE: Final = 0.1
WARM_UP_STEPS: Final = 10
"""A run's warm-up: its first tenth, and no fewer steps than the default of limits.warmupSteps."""
FEWEST_SAMPLES: Final = 5
"""Samples after warm-up below which a run says nothing about its spread."""


MEANS: Final = (MEAN_STEP_TIME, CPU)
"""Quantities that are means over an interval: the steps between evaluations, as in the thesis, not single looks."""
KEYS: Final = ["workload", "stand_in", "run", "trial"]


def variation(samples: pd.DataFrame, quantity: Quantity) -> pd.DataFrame:
    """Coefficient of variation of each run after warm-up: workload, stand_in, run, trial, value."""
    known = _known(samples, quantity)
    if quantity in MEANS:
        evaluated = known[known["validation_loss"].notna()]
        first = evaluated.groupby(KEYS)["step"].transform("min")
        known = evaluated[evaluated["step"] > first]  # the mean up to the first evaluation has the warm-up in it
    values = _after_warm_up(known).groupby(KEYS)[quantity.column]
    return (values.std() / values.mean()).rename("value").reset_index()


def growth(samples: pd.DataFrame, quantity: Quantity) -> pd.DataFrame:
    """Mean after warm-up over the first sample, of each run: workload, stand_in, run, trial, value."""
    known = _known(samples, quantity)
    first = known.sort_values("elapsed_seconds").groupby(KEYS)[quantity.column].first()
    settled = _after_warm_up(known).groupby(KEYS)[quantity.column].mean()
    return (settled / first).dropna().rename("value").reset_index()


def _known(samples: pd.DataFrame, quantity: Quantity) -> pd.DataFrame:
    values = samples[quantity.column]
    return samples[values.notna() & (values > 0)]


def _after_warm_up(samples: pd.DataFrame) -> pd.DataFrame:
    """Without warm-up, and without runs of too few samples after it."""
    last = samples.groupby(KEYS)["step"].transform("max")
    kept = samples[samples["step"] > (last * WARM_UP_SHARE).clip(lower=WARM_UP_STEPS)]
    return kept[kept.groupby(KEYS)["step"].transform("size") >= FEWEST_SAMPLES]
