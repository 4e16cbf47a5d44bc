"""`make bench-operator`: measure the operator beside KubeRay, write operator.json and operator.md, print the table."""

import argparse
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.__main__ import COMMITTED, PARTIAL
from benchmarks.machine import versions
from benchmarks.operator_scale import creation
from benchmarks.operator_scale import running as running_sweeps
from benchmarks.rows import Goal, Row
from benchmarks.statistics import percentile
from benchmarks.tables import markdown
from tuningsweep_trainer.machine import machine

KUBERAY: Final = "KubeRay, the same RayJobs to their first status"
FLOOR: Final = "API server alone"
MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many sweeps, and how long the operator is watched at rest."""

    few: int
    many: int
    settle_seconds: float
    rest_seconds: float
    load: running_sweeps.Load
    """What is done to as many running sweeps as are few: each has the end of a trial every 30 s, a thousand in all 33 a
    second."""


FULL: Final = Sizes(1_000, 10_000, 60.0, 60.0, running_sweeps.Load(seconds=120.0, ends_per_second=100 / 3))
QUICK: Final = Sizes(20, 40, 9.0, 2.0, running_sweeps.Load(seconds=6.0, ends_per_second=3.0))


def few(sizes: Sizes, folder: Path) -> list[Row]:
    """As many as a busy team has at once, with KubeRay beside."""
    count = sizes.few
    floor = creation.floor(folder / "floor", count)
    kuberay = creation.kuberay(folder / "kuberay", count)
    ours = creation.ours(folder / "ours", count, sizes.settle_seconds, sizes.rest_seconds)
    shown = ours.timings.shown
    baselines = {KUBERAY: kuberay, FLOOR: floor}
    created = {"created": ours.timings.created, "ray_jobs": shown[0], "statuses": shown[1]}
    goals = (Goal("<=", 5.0), Goal("<=", 0.1, KUBERAY))
    note = (
        "from the first create to the last; both controllers run with their defaults, on a control plane of their own each;"
        " the floor is a client that makes sweep, Secret, ConfigMap, claim, RayJob and status itself, with nobody watching:"
        " where it is above a goal, this machine's API server is too slow for that goal"
    )
    name = f"{count:,} sweeps"
    return [
        Row(f"{name}: create to RayJob and first status", "s", max(shown), baselines, goals, note, created),
        Row(f"{name}: operator's memory, peak", "MiB", ours.peak_memory / MIB, goals=(Goal("<=", 160),)),
        Row(f"{name} at rest: operator's CPU", "% of a core", 100 * ours.idle_share, goals=(Goal("<", 2),)),
        *_restart(name, ours),
    ]


def many(sizes: Sizes, folder: Path) -> list[Row]:
    """As many as a whole company has."""
    count = sizes.many
    ours = creation.ours(folder / "ours", count, sizes.settle_seconds, sizes.rest_seconds)
    name = f"{count:,} sweeps"
    goals = (Goal("<=", 60.0),)
    return [
        Row(f"{name}: create to RayJob and first status", "s", max(ours.timings.shown), goals=goals),
        Row(f"{name}: operator's memory, peak", "MiB", ours.peak_memory / MIB),
        Row(f"{name} at rest: operator's CPU", "% of a core", 100 * ours.idle_share),
        *_restart(name, ours),
    ]


def running(sizes: Sizes, folder: Path) -> list[Row]:
    """As many as a busy team has at once, while their trials end and people edit them."""
    count, work = sizes.few, sizes.load
    seen = running_sweeps.measure(folder / "running", count, work, sizes.settle_seconds / 3, sizes.rest_seconds)
    name = f"{count:,} running sweeps"
    ends = f"{len(seen.status_lags):,} trials ended within {work.seconds:g} s"
    edits = f"{len(seen.edit_lags)} edits of limits.trialDuration meanwhile"
    return [
        _late(f"{name}: end of a trial to the status that counts it, p99", seen.status_lags, ends),
        _late(f"{name}: edit of a limit to its driver, p99", seen.edit_lags, edits),
        Row(
            f"{name}: most status writes of one in {running_sweeps.STATUS_SECONDS:g} s",
            "writes",
            seen.most_writes,
            goals=(Goal("<=", 1),),
            note="without those that changed a condition",
            detail={"writes": seen.writes},
        ),
        Row(f"{name} without news: operator's CPU", "% of a core", 100 * seen.idle_share, goals=(Goal("<", 2),)),
        Row(f"{name} with news: operator's CPU", "% of a core", 100 * seen.busy_share, note=f"{ends}, {edits}"),
        Row(f"{name}: operator's memory, peak", "MiB", seen.peak_memory / MIB),
    ]


def _late(figure: str, lags: list[float], note: str) -> Row:
    detail = {"p50": percentile(lags, 50), "most": max(lags), "count": len(lags)}
    return Row(figure, "s", percentile(lags, 99), {}, (Goal("<", 2.0),), note, detail)


def _restart(name: str, ours: creation.Created) -> list[Row]:
    note = "requests of anyone that would change an object of a sweep, by the API server's own count"
    detail = {"seconds_to_look_at_all": ours.restart_seconds, "peak_memory": ours.restart_memory}
    return [
        Row(f"{name}: writes of a restart", "requests", ours.restart_writes, {}, (Goal("<=", 0),), note, detail),
    ]


MEASUREMENTS: Final[Mapping[str, Callable[[Sizes, Path], list[Row]]]] = {"few": few, "many": many, "running": running}


def main() -> int:
    """Run; the exit code is 0 if everything could be measured, whatever the goals say."""
    parser = argparse.ArgumentParser(prog="make bench-operator", description=__doc__)
    parser.add_argument("measurements", nargs="?", default=",".join(MEASUREMENTS), help=", ".join(MEASUREMENTS))
    parser.add_argument("--quick", action="store_true", help="smoke test: tiny sizes, meaningless values")
    parser.add_argument("--out", type=Path, help="folder for operator.json and operator.md")
    options = parser.parse_args()
    names = options.measurements.split(",")
    whole = not options.quick and names == list(MEASUREMENTS)
    folder = options.out or (COMMITTED if whole else PARTIAL)
    run = run_all(names, QUICK if options.quick else FULL, quick=options.quick, folder=folder)
    print(markdown(run))
    print(f"written to {folder}", file=sys.stderr)
    return 1 if run["failed"] else 0


def run_all(names: list[str], sizes: Sizes, *, quick: bool, folder: Path) -> dict[str, Any]:
    """Measure; results are written after each measurement, so that a run cut short keeps what it has."""
    folder.mkdir(parents=True, exist_ok=True)
    date = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    run: dict[str, Any] = {"date": date, "seed": 0, "quick": quick, "machine": machine(), "versions": versions()}
    run |= {"figures": [], "failed": []}
    for name in names:
        load = round(os.getloadavg()[0], 2)
        try:
            with tempfile.TemporaryDirectory(prefix="bench-operator-") as scratch:
                rows = MEASUREMENTS[name](sizes, Path(scratch))
        except Exception as error:  # noqa: BLE001 - whatever fails is put on record
            traceback.print_exc()
            run["failed"].append({"figure": name, "error": "".join(traceback.format_exception_only(error))})
            rows = []
        run["figures"] += [{**(row := made.dump()), "detail": {**row["detail"], "load_before": load}} for made in rows]
        (folder / "operator.json").write_text(json.dumps(run, indent=1) + "\n")
        (folder / "operator.md").write_text(markdown(run))
    return run


if __name__ == "__main__":
    sys.exit(main())
