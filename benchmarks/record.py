"""Puts a run of some figures into the results on record, in place of their earlier rows. Pure.

A figure and its baselines are always of one run. Figures of several runs may stand side by side only where machine and
versions are the same; the rows say when, under what load and of which commit each was measured.
"""

from collections.abc import Mapping, Sequence
from typing import Any

SAME_MACHINE = ("processor", "cores")


def stamped(row: Mapping[str, Any], figure: str, run: Mapping[str, Any]) -> dict[str, Any]:
    """A row with what it was measured for, when, and of which commit."""
    circumstances = {"measured_for": figure, "date": run["date"], "commit": run["versions"]["commit"]}
    return {**row, "detail": {**row["detail"], **circumstances}}


def refusal(record: Mapping[str, Any], run: Mapping[str, Any]) -> str | None:
    """Why figures of a run can't stand beside those on record, if so; known before anything is measured."""
    for what, before, now in _must_agree(record, run):
        if before != now:
            return f"{what} on record is {before!r}, here it is {now!r}: measure all figures again with `make bench`"
    return None


def merged(record: Mapping[str, Any], run: Mapping[str, Any], order: Sequence[str]) -> dict[str, Any]:
    """`record` with the rows of `run`, figures in `order`. A figure that failed in `run` keeps its earlier rows."""
    measured = {row["detail"]["measured_for"] for row in run["figures"]}
    kept = [row for row in record["figures"] if row["detail"]["measured_for"] not in measured]
    rows = sorted([*kept, *run["figures"]], key=lambda row: order.index(row["detail"]["measured_for"]))
    failed = [failure for failure in record["failed"] if failure["figure"] not in measured]
    return {**run, "figures": rows, "failed": failed}


def _must_agree(record: Mapping[str, Any], run: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    versions = [{k: v for k, v in each["versions"].items() if k != "commit"} for each in (record, run)]
    pairs = [(f"the machine's {key}", record["machine"][key], run["machine"][key]) for key in SAME_MACHINE]
    pairs += [(f"the version of {name}", versions[0].get(name), now) for name, now in versions[1].items()]
    return [*pairs, ("the seed", record["seed"], run["seed"])]
