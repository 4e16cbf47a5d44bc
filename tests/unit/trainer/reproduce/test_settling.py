"""Warm-up, window and spacing are read from courses whose answer is known."""

import numpy as np
import pandas as pd
import pytest

from tuningsweep_trainer.reproduce.settling import Course, findings, moved, settled_after, strays, window_means


def course(step_seconds: np.ndarray, memory: np.ndarray | None = None) -> Course:
    steps = np.arange(1.0, len(step_seconds) + 1)
    level = np.full(len(steps), 100.0) if memory is None else memory
    return Course(steps, step_seconds, level, np.cumsum(step_seconds))


def test_warm_up_ends_where_values_come_near_their_level() -> None:
    values = np.array([5.0, 3.0, 1.2, 1.0, 1.0, 1.0, 1.0, 1.0])
    steps = np.arange(10.0, 90.0, 10.0)
    assert settled_after(steps, values, 0.25) == 30.0
    assert settled_after(steps, values, 0.05) == 40.0
    assert settled_after(steps, np.ones(8), 0.05) == 10.0


def test_means_are_over_the_last_steps() -> None:
    found = window_means(course(np.array([4.0, 1.0, 1.0, 1.0, 7.0])), 2)
    assert found == pytest.approx([4.0, 2.5, 1.0, 1.0, 4.0])


def test_a_wider_window_strays_less() -> None:
    spiked = np.where(np.arange(200) % 10 == 9, 3.0, 1.0)
    assert strays([course(spiked)], 1) == pytest.approx(0.1)
    assert strays([course(spiked)], 10) == 0.0


def test_a_trial_whose_points_lie_further_apart_says_nothing_of_small_windows() -> None:
    coarse = Course(np.arange(50.0, 1000.0, 50.0), np.ones(19), np.ones(19), np.arange(19.0))
    assert strays([coarse], 20) is None
    assert strays([coarse], 50) == 0.0


def test_short_steps_say_nothing_of_a_warm_up_in_steps() -> None:
    points = {
        "workload": "w",
        "run": 1,
        "trial": "t",
        "step": np.arange(50.0, 1050.0, 50.0),
        "mean_step_seconds": 0.002,
        "memory_bytes": 100.0,
        "elapsed_seconds": np.arange(0.1, 2.05, 0.1),
        "validation_loss": None,
    }
    found = findings(pd.DataFrame(points))
    assert (found["trials"], found["trials_step_by_step"]) == (1, 0)
    assert found["warmup_steps_for_step_time"] == {}
    assert found["warmup_seconds_for_memory"]["median"] == pytest.approx(0.1)


def test_memory_that_jumps_is_missed_by_looks_far_apart() -> None:
    memory = np.where(np.arange(100) < 50, 100.0, 200.0)
    level = course(np.ones(100))
    assert moved([level], 1) == 0.0
    assert moved([course(np.ones(100), memory)], 1) == pytest.approx(1 / 89)
    assert moved([course(np.ones(100), memory)], 10) == pytest.approx(10 / 80)
