"""What an arm saved and cost, against the same run without limits."""

import pytest

from support.tidy_data import sweep, tidy, trials
from tuningsweep_trainer.reproduce.figures import savings as figure
from tuningsweep_trainer.reproduce.savings import outcomes


def compared(*sweeps):
    return outcomes(tidy(trials("mnist-svm"), None, *sweeps).savings)


def test_cpu_time_and_objective_are_compared_run_by_run() -> None:
    baselines = [sweep("none", 1, cpu_seconds=100.0), sweep("none", 2, cpu_seconds=200.0, best_objective=0.8)]
    arms = [
        sweep("limits", 1, cpu_seconds=60.0, best_objective=0.891, stopped=5),
        sweep("limits", 2, cpu_seconds=100.0, best_objective=0.8, stopped=6, skipped=2, falsely_skipped=1),
    ]
    (found,) = compared(*baselines, *arms)
    assert (found.arm, found.runs, found.trials, found.stopped) == ("limits", 2, 32, 11)
    assert (found.skipped, found.falsely_skipped) == (2, 1)
    assert found.saved_percent == pytest.approx(45.0)
    assert found.saved_range == pytest.approx((40.0, 50.0))
    assert found.saved_seconds == pytest.approx(70.0)
    assert found.worse_percent == pytest.approx(0.5)
    assert found.worse_range == pytest.approx((0.0, 1.0))


def test_a_lower_loss_is_better_where_the_goal_says_so() -> None:
    loss = {"goal": "minimize", "objective": "rmse", "workload": "wine-svm"}
    (found,) = compared(
        sweep("none", **loss, best_objective=2.0), sweep("asha", **loss, best_objective=1.9, cpu_seconds=120.0)
    )
    assert found.worse_percent == pytest.approx(-5.0)
    assert found.saved_percent == pytest.approx(-20.0)


def test_a_run_without_baseline_is_left_out_and_arms_keep_their_order() -> None:
    found = compared(sweep("none"), sweep("asha+limits"), sweep("limits"), sweep("asha", 2))
    assert [outcome.arm for outcome in found] == ["limits", "asha+limits"]


def test_an_arm_that_left_no_best_trial_has_no_change_of_it() -> None:
    (found,) = compared(sweep("none"), sweep("400Mi", best_objective=None, stopped=16))
    assert found.worse_percent is None
    assert figure.draw([found]).chart is None


def test_the_figure_has_a_mark_for_each_workload_and_arm() -> None:
    wave = {"workload": "wave-energy-svm", "goal": "minimize"}
    drawn = figure.draw(
        compared(sweep("none"), sweep("limits"), sweep("asha"), sweep("none", **wave), sweep("asha", **wave))
    )
    assert {(row["workload"], row["arm"]) for row in drawn.data["points"]} == {
        ("mnist-svm", "limits"),
        ("mnist-svm", "asha"),
        ("wave-energy-svm (stand-in data)", "asha"),
    }
