"""What users' code meets: metrics that are no numbers, step forms, calling conventions, a command's lines."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tuningsweep import report, step
from tuningsweep_trainer.training import session as sessions
from tuningsweep_trainer.training.command import LineReport, parse_report
from tuningsweep_trainer.training.process import call_function, failure, load_function, takes_checkpoint


@pytest.fixture(autouse=True)
def printing() -> Iterator[sessions.PrintingSession]:
    """A session of its own for each test."""
    session = sessions.PrintingSession()
    sessions.install(session)
    yield session
    sessions._current = None


@pytest.mark.parametrize(
    ("metrics", "error", "words"),
    [
        ({"loss": "low"}, TypeError, "'loss'"),
        ({"loss": None}, TypeError, "'loss'"),
        ({"loss": float("nan")}, ValueError, "'loss'"),
        ({"loss": float("inf")}, ValueError, "finite"),
        ({1: 2.0}, TypeError, "names are non-empty strings"),
        ({"": 2.0}, TypeError, "names are non-empty strings"),
        ([1.0], TypeError, "mapping"),
    ],
)
def test_a_metric_that_is_no_finite_number_is_named(metrics: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        report(metrics)


def test_numpy_numbers_are_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    report({"loss": np.float32(0.5), "n": np.int64(3)})
    assert json.loads(capsys.readouterr().out) == {"loss": 0.5, "n": 3.0, "step": 1}


def test_outside_a_trial_a_checkpoint_stays_where_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report({"loss": 0.5}, checkpoint=tmp_path / "anywhere")
    assert json.loads(capsys.readouterr().out) == {"loss": 0.5, "step": 1}


def test_steps_as_block_and_as_loop(printing: sessions.PrintingSession) -> None:
    with step():
        assert printing.clock.read().started is not None
    assert list(step([1, 2, 3])) == [1, 2, 3]
    for _ in step(range(5)):
        break
    reading = printing.clock.read()
    assert (reading.steps, reading.started) == (5, None)


def test_a_report_within_a_step_counts_it(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in step(range(2)):
        report({"loss": 1.0})
    assert [json.loads(line)["step"] for line in capsys.readouterr().out.splitlines()] == [1, 2]


def test_a_step_that_raises_is_over(printing: sessions.PrintingSession) -> None:
    with pytest.raises(KeyError), step():
        raise KeyError
    assert printing.clock.read().started is None


def with_checkpoint(parameters: dict[str, Any], checkpoint: Path | None = None) -> None:
    parameters["seen"].append(checkpoint)


def without(parameters: dict[str, Any]) -> None:
    parameters["seen"].append("none")


def with_anything(parameters: dict[str, Any], **others: Any) -> None:
    parameters["seen"].append(others["checkpoint"])


def test_a_function_gets_the_checkpoint_if_it_takes_one() -> None:
    seen: list[Any] = []
    for function in (with_checkpoint, without, with_anything):
        call_function(function, {"seen": seen}, Path("/c"))
    assert seen == [Path("/c"), "none", Path("/c")]
    assert not takes_checkpoint(print)


def test_what_cannot_be_imported_is_named() -> None:
    with pytest.raises(ImportError, match="no_such_module"):
        load_function("no_such_module:train")
    with pytest.raises(AttributeError, match="no_such_name"):
        load_function("json:no_such_name")
    with pytest.raises(TypeError, match="not callable"):
        load_function("json:__name__")


def test_a_failure_is_the_last_line_for_people_and_the_traceback_for_the_log() -> None:
    try:
        raise RuntimeError("no such luck")
    except RuntimeError as error:
        said = failure(error)
    assert said["message"] == "RuntimeError: no such luck"
    assert "test_user_api.py" in said["traceback"]


@pytest.mark.parametrize(
    ("line", "report_in_it"),
    [
        ('{"loss": 0.3, "step": 10}\n', ({"loss": 0.3}, 10)),
        ('  {"loss": 1}', ({"loss": 1}, None)),
        ('{"step": 4}', ({}, 4)),
        ('{"loss": "low"}', None),
        ('{"ok": true}', None),
        ("{}", None),
        ('{"loss": ', None),
        ("[1, 2]", None),
        ("epoch 3", None),
        ('{"loss": 1, "step": 3, "checkpoint": "here"}', ({"loss": 1}, 3, "here")),
        ('{"checkpoint": "/c"}', ({}, None, "/c")),
        ('{"loss": 1, "checkpoint": 3}', ({"loss": 1, "checkpoint": 3}, None)),
        ('{"loss": "low", "checkpoint": "/c"}', None),
    ],
)
def test_lines_of_a_command(line: str, report_in_it: Any) -> None:
    assert parse_report(line) == (None if report_in_it is None else LineReport(*report_in_it))
