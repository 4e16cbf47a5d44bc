"""Effects of known size are found, by direction and by how far levels differ."""

import math

import pytest

from support import tidy_data
from tuningsweep_trainer.reproduce.effects import configuration_spread, effects, factor_effect
from tuningsweep_trainer.reproduce.quantities import CPU, MEAN_STEP_TIME, MEMORY
from tuningsweep_trainer.workloads.losses import BOUND


def doubled_by_decade(row):
    return {"mean_step_seconds": row["mean_step_seconds"] * 2 ** math.log10(row["batch_size"] / 30)}


def test_the_ratio_is_between_the_extreme_levels_and_exact() -> None:
    effect = factor_effect(tidy_data.trials("mnist-svm", change=doubled_by_decade), MEAN_STEP_TIME, "batch_size")
    assert effect is not None
    assert (effect.lowest, effect.highest, effect.trials) == (30, 30000, 48)
    assert effect.ratio == pytest.approx(8.0)
    assert effect.ratio_interval == pytest.approx((8.0, 8.0))
    assert effect.counts


def test_what_is_visible_but_tiny_does_not_count() -> None:
    slightly = tidy_data.trials(
        "mnist-svm", change=lambda row: {"memory_bytes": row["memory_bytes"] * (1 + row["learning_rate"] / 10)}
    )
    effect = factor_effect(slightly, MEMORY, "learning_rate")
    assert effect is not None
    assert effect.effect is not None
    assert effect.effect.interval[0] > 0.5
    assert effect.counts is False


def test_trials_that_diverged_or_failed_are_left_out_with_their_settings() -> None:
    def change(row):
        if row["learning_rate"] == 0.1:
            return {"train_loss": BOUND, "mean_step_seconds": 99.0}
        return {"outcome": "Failed", "mean_step_seconds": 99.0} if row["batch_size"] == 30 and row["run"] == 1 else {}

    effect = factor_effect(tidy_data.trials("mnist-svm", change=change), MEAN_STEP_TIME, "batch_size")
    assert effect is not None
    assert effect.trials == 48 - 12 - 3
    assert effect.ratio < 1.01


def test_both_factors_on_every_system_metric() -> None:
    found = effects(tidy_data.trials("mnist-svm", "wine-svm"))
    assert [(effect.workload, effect.quantity.column, effect.factor) for effect in found[:2]] == [
        ("mnist-svm", "mean_step_seconds", "batch_size"),
        ("mnist-svm", "mean_step_seconds", "learning_rate"),
    ]
    assert len(found) == 2 * 3 * 2


def test_one_level_has_nothing_to_compare_with() -> None:
    trials = tidy_data.trials("mnist-svm")
    assert factor_effect(trials[trials["batch_size"] == 30], MEMORY, "batch_size") is None


def test_the_spread_of_configurations() -> None:
    busy = tidy_data.trials("mnist-svm", change=lambda row: {"cpu_percent": 90.0 if row["batch_size"] == 30 else 45.0})
    spread = configuration_spread(busy, CPU)
    assert spread is not None
    assert spread[0] == pytest.approx(2.0)
