"""The table has every figure, its notes once each, and what could not be measured."""

from typing import Any

from benchmarks.rows import Goal, Row
from benchmarks.tables import markdown, number

MACHINE = {"processor": "a CPU", "cores": 2, "memory_bytes": 24 << 30, "kernel": "6", "load_at_start": 0.1}


def run_of(*rows: Row, quick: bool = False, failed: list[dict[str, str]] | None = None) -> dict[str, Any]:
    return {
        "date": "2026-01-01 00:00 UTC",
        "seed": 7,
        "quick": quick,
        "machine": MACHINE,
        "versions": {"ray": "2.60.0"},
        "figures": [row.dump() for row in rows],
        "failed": failed or [],
    }


def test_a_figure_is_a_line_with_its_baselines_and_verdict() -> None:
    missed = Row("time per trial", "s", 0.5, {"pool": 0.01, "Tune": 1234.5}, (Goal("<=", 0.06),))
    assert "| time per trial | s | 0.5 | pool 0.01; Tune 1,234 | <= 0.06 | **no** |" in markdown(run_of(missed))


def test_the_circumstances_are_named() -> None:
    text = markdown(run_of())
    for part in ("a CPU", "2 cores", "24.0 GiB", "ray 2.60.0", "seed 7", "load at the start 0.1"):
        assert part in text
    assert "smoke test" not in text
    assert "smoke test" in markdown(run_of(quick=True))


def test_rows_with_the_same_note_share_it() -> None:
    rows = [Row("a", "s", 1, note="measured so"), Row("b", "s", 1), Row("c", "s", 1, note="otherwise")]
    text = markdown(run_of(*rows, Row("d", "s", 1, note="measured so")))
    assert text.count("measured so") == 1
    assert "| a (1) |" in text
    assert "| b |" in text
    assert "| c (2) |" in text
    assert "| d (1) |" in text


def test_a_failed_figure_is_named_with_the_first_line_of_its_error() -> None:
    text = markdown(run_of(failed=[{"figure": "makespan", "error": "RuntimeError: no data\nmore"}]))
    assert "- makespan: RuntimeError: no data\n" in text


def test_numbers_are_readable() -> None:
    assert [number(value) for value in (0, 0.044444, 12.34567, 123456.7)] == ["0", "0.04444", "12.35", "123,457"]
