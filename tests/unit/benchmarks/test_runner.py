"""A figure that fails, hangs or dies is reported, and the rest go on."""

import json

from benchmarks import runner
from benchmarks.registry import Figure


def test_a_figure_that_cannot_be_measured_is_reported() -> None:
    measured = runner.measure(Figure("no_such_module", ""), quick=True, seed=0)
    assert measured.rows == []
    assert measured.error is not None
    assert "no_such_module" in measured.error


def test_a_figure_that_takes_too_long_is_ended() -> None:
    measured = runner.measure(Figure("trial_overhead", "", timeout_seconds=0), quick=True, seed=0)
    assert measured.error == "not done within 0 s"


def test_results_are_kept_when_a_figure_fails(tmp_path, monkeypatch) -> None:
    from benchmarks import __main__ as command

    row = {"figure": "f", "unit": "s", "ours": 1, "baselines": {}, "goal": "", "met": None, "note": "", "detail": {}}
    outcomes = {"bad": runner.Measured("bad", [], "it broke"), "good": runner.Measured("good", [row])}
    monkeypatch.setattr(command, "measure", lambda figure, **_: outcomes[figure.name])
    figures = [Figure("bad", ""), Figure("good", "")]
    command.run_all(figures, command.begun(quick=True, seed=0), folder=tmp_path)
    written = json.loads((tmp_path / "results.json").read_text())
    assert written["failed"] == [{"figure": "bad", "error": "it broke"}]
    (kept,) = written["figures"]
    assert {**kept, "detail": {}} == row
    assert kept["detail"]["measured_for"] == "good"
    assert "| f | s | 1 |" in (tmp_path / "results.md").read_text()
