"""Figures measured anew take the place of their earlier rows, if they can stand beside the rest."""

from typing import Any

import pytest

from benchmarks.record import merged, refusal, stamped
from benchmarks.tables import markdown

ORDER = ["enforcement", "savings"]


def run_of(date: str, figures: dict[str, float], **edits: Any) -> dict[str, Any]:
    machine = {"processor": "a CPU", "cores": 2, "memory_bytes": 1 << 34, "kernel": date, "load_at_start": 0}
    run: dict[str, Any] = {"date": date, "seed": 0, "quick": False, "machine": machine, "failed": []}
    run |= {"versions": {"ray": "2.60.0", "commit": f"of {date}"}, **edits}
    row = {"unit": "s", "baselines": {}, "goal": "", "met": None, "note": "", "detail": {"load_before": 0.1}}
    rows = [stamped({**row, "figure": f"{name}, p50", "ours": ours}, name, run) for name, ours in figures.items()]
    return {**run, "figures": rows}


def test_rows_of_a_figure_are_replaced_and_keep_their_place() -> None:
    now = merged(run_of("May", {"enforcement": 1, "savings": 2}), run_of("June", {"enforcement": 3}), ORDER)
    assert [(row["figure"], row["ours"], row["detail"]["date"]) for row in now["figures"]] == [
        ("enforcement, p50", 3, "June"),
        ("savings, p50", 2, "May"),
    ]


def test_a_failure_ends_with_the_rows_of_its_figure() -> None:
    failed = [{"figure": "savings", "error": "too slow"}]
    before = run_of("May", {"enforcement": 1}, failed=failed)
    assert merged(before, run_of("June", {"enforcement": 3}), ORDER)["failed"] == failed
    assert merged(before, run_of("June", {"savings": 3}), ORDER)["failed"] == []


def test_the_table_says_when_each_was_measured_only_if_that_differs() -> None:
    before = run_of("May", {"enforcement": 1, "savings": 2})
    assert "Each figure" not in markdown(before)
    text = markdown(merged(before, run_of("June", {"savings": 3}), ORDER))
    assert "enforcement May, commit of May, load before 0.1; savings June, commit of June, load before 0.1." in text


@pytest.mark.parametrize(
    ("edits", "says"),
    [
        ({"machine": {"processor": "another", "cores": 2}}, "the machine's processor on record is 'a CPU'"),
        ({"versions": {"ray": "3.0.0", "commit": "x"}}, "the version of ray on record is '2.60.0', here it is '3.0.0'"),
        ({"seed": 1}, "the seed on record is 0"),
    ],
)
def test_what_was_measured_otherwise_cannot_stand_beside(edits: dict[str, Any], says: str) -> None:
    refused = refusal(run_of("May", {"savings": 2}), run_of("June", {"savings": 3}, **edits))
    assert refused is not None
    assert says in refused
    assert "`make bench`" in refused


def test_another_commit_may_stand_beside() -> None:
    assert refusal(run_of("May", {"savings": 2}), run_of("June", {"savings": 3})) is None
