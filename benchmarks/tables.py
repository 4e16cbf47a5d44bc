"""The Markdown table from a run as it is in results.json. Pure: text out of dictionaries."""

from collections.abc import Mapping
from typing import Any

_HEAD = ("| figure | unit | ours | baselines | goal | met |", "|---|---|---|---|---|---|")
_VERDICTS = {True: "yes", False: "**no**", None: ""}


def number(value: float) -> str:
    """A number with four significant digits, without an exponent where it is readable without."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def markdown(run: Mapping[str, Any]) -> str:
    """The table, what it was measured on above it, its notes and what could not be measured below."""
    notes = list(dict.fromkeys(row["note"] for row in run["figures"] if row["note"]))
    table = [*_HEAD, *(_line(row, notes) for row in run["figures"])]
    parts = [["# Benchmark"], _circumstances(run), table]
    if notes:
        parts.append([f"{place}. {note}" for place, note in enumerate(notes, start=1)])
    if times := _times(run):
        parts.append(times)
    if run["failed"]:
        failed = [f"- {failure['figure']}: {failure['error'].splitlines()[0]}" for failure in run["failed"]]
        parts += [["## Not measured"], failed]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _circumstances(run: Mapping[str, Any]) -> list[str]:
    machine = run["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
    smoke = " **A smoke test: its sizes are too small to mean anything.**" if run["quick"] else ""
    text = (
        f"Written by `make bench`, do not edit.{smoke} {run['date']}, seed {run['seed']}, {machine['cores']} cores of"
        f" {machine['processor']}, {machine['memory_bytes'] / 2**30:.1f} GiB, kernel {machine['kernel']},"
        f" load at the start {machine['load_at_start']}. {versions}."
    )
    return [text]


def _times(run: Mapping[str, Any]) -> list[str]:
    """When each figure was measured, where that was not in one go."""
    details = [row["detail"] for row in run["figures"]]
    if len({detail.get("date") for detail in details}) < 2:
        return []
    told = dict.fromkeys(
        f"{detail['measured_for']} {detail['date']}, commit {detail['commit']}, load before {detail['load_before']}"
        for detail in details
    )
    return ["Each figure with its baselines in one run: " + "; ".join(told) + "."]


def _line(row: Mapping[str, Any], notes: list[str]) -> str:
    note = f" ({notes.index(row['note']) + 1})" if row["note"] else ""
    baselines = "; ".join(f"{name} {number(value)}" for name, value in row["baselines"].items())
    cells = (row["figure"] + note, row["unit"], number(row["ours"]), baselines, row["goal"], _VERDICTS[row["met"]])
    return f"| {' | '.join(cells)} |"
