"""The loss of every step out of a trial's log."""

import json
from pathlib import Path

import pytest

from tuningsweep_trainer.tracking import losses


def line(first: int, values: list[float]) -> str:
    return json.dumps({"first_step": first, "training_loss": values}) + "\n"


def test_every_step_has_its_loss_and_other_output_is_passed_over(tmp_path: Path) -> None:
    log_file = tmp_path / "trial.log"
    log_file.write_text(
        "hello\n" + line(1, [3.0, 2.0]) + '{"accuracy": 1}\n' + line(3, [1.0]) + '{"first_step": 4, "tr'
    )
    assert losses.step_losses(log_file, 200) == [(1, 3.0), (2, 2.0), (3, 1.0)]


def test_where_a_trial_went_on_from_a_checkpoint_the_later_run_of_a_step_counts(tmp_path: Path) -> None:
    log_file = tmp_path / "trial.log"
    log_file.write_text(line(1, [3.0, 2.0, 9.0]) + line(3, [1.0]))
    assert losses.step_losses(log_file, 200) == [(1, 3.0), (2, 2.0), (3, 1.0)]


def test_a_log_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert losses.step_losses(tmp_path / "none.log", 200) == []


@pytest.mark.parametrize("count", [199, 200, 201, 1_000, 12_345])
def test_a_long_curve_is_thinned_evenly_and_keeps_its_end(count: int) -> None:
    points = [(step, float(step)) for step in range(1, count + 1)]
    kept = losses.thinned(points, losses.MOST_POINTS)
    assert len(kept) <= losses.MOST_POINTS
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert len(kept) == count if count <= losses.MOST_POINTS else len(kept) > losses.MOST_POINTS // 3


@pytest.mark.parametrize(("seconds", "points"), [(0.0, 20), (0.5, 20), (3.0, 60), (10.0, 200), (3_600.0, 200)])
def test_a_curve_has_points_by_the_length_of_its_trial(seconds: float, points: int) -> None:
    assert losses.points_of(seconds) == points
