"""Averages over runs: mean and spread, without what diverged; curves at common steps."""

import numpy as np
import pytest

from support import tidy_data
from tuningsweep_trainer.reproduce.averages import by_configuration, by_step
from tuningsweep_trainer.reproduce.quantities import ACCURACY, MEMORY, TRAINING_LOSS
from tuningsweep_trainer.workloads.losses import BOUND


def test_a_configuration_has_mean_and_range_of_its_runs_in_the_unit_of_the_figure() -> None:
    found = by_configuration(tidy_data.trials("mnist-svm"), MEMORY)
    assert len(found) == 16
    assert set(found["runs"]) == {3}
    assert tuple(found[["mean", "low", "high"]].iloc[0]) == pytest.approx((200.0, 199.8, 200.2))


def test_what_was_not_measured_or_diverged_is_no_part_of_an_average() -> None:
    trials = tidy_data.trials(
        "mnist-svm", "wine-svm", change=lambda row: {"train_loss": BOUND} if row["learning_rate"] == 0.1 else {}
    )
    assert set(by_configuration(trials, ACCURACY)["workload"]) == {"mnist-svm"}
    assert set(by_configuration(trials, TRAINING_LOSS)["learning_rate"]) == {0.0001, 0.001, 0.01}


def test_curves_are_averaged_over_stretches_of_steps_and_end_at_the_last() -> None:
    samples = tidy_data.samples(
        tidy_data.trials("mnist-svm"), lambda row, share: {"memory_bytes": share * 100 * tidy_data.MIB}
    )
    found = by_step(samples, MEMORY, bins=5)
    curve = found[(found["batch_size"] == 30) & (found["learning_rate"] == 0.1)]
    assert list(curve["step"]) == [0, 40, 80, 120, 160, 200]
    assert list(curve["mean"]) == pytest.approx([0, *np.arange(12.5, 100, 20)])


def test_steps_that_do_not_divide_end_at_the_last_step() -> None:
    samples = tidy_data.samples(tidy_data.trials("mnist-svm"))
    assert by_step(samples, MEMORY, bins=7)["step"].max() == tidy_data.STEPS
