"""Time from crossing a limit to the kill: the hostile cases under every scheduler, and bare Tune's own stops beside it.

Bare Tune sees a trial only when it reports, so its trials report after a step of TUNE_STEP seconds and a stopper ends
them then; or a stopper that Tune asks in every turn of its loop (stop_all) ends the experiment while they are busy.
"""

import time
from pathlib import Path
from typing import Any

from benchmarks.rows import Goal, Row
from benchmarks.scale import PARALLEL, Scale
from benchmarks.statistics import median, percentile
from benchmarks.systems.bare_tune import tune_trials
from benchmarks.systems.ray_cluster import ray_running
from benchmarks.systems.tuningsweep import manifest, sweep
from benchmarks.watcher import stops, watching
from benchmarks.workloads import hostile

SCHEDULERS = ("None", "ASHA", "MedianStopping", "HyperBand", "PBT")
STEP_LIMIT = 0.3
TUNE_STEP = 5.0
REPORT, STOP_ALL = "bare Tune, stopper at a report", "bare Tune, stop_all while busy"
WHAT = {
    "kill": "crossing a limit to the kill",
    "freed": "crossing a limit to the memory freed",
    "next": "crossing a limit to the next trial's start",
}
GOALS = {("kill", 50): (Goal("<=", 0.02),), ("kill", 99): (Goal("<=", 0.1),)}


def measure(scale: Scale) -> list[Row]:
    """Rows for p50 and p99 of each of WHAT."""
    each = scale.pick(40, 4)
    with ray_running(scale.scratch / "ray"):
        by_scheduler = {name: _ours(name, each, scale) for name in SCHEDULERS[: scale.pick(5, 1)]}
        tuned = {REPORT: _tune_at_report(scale.pick(8, 2), scale), STOP_ALL: _tune_busy(scale)}
    ours = [stop for found in by_scheduler.values() for stop in found]
    note = (
        f"{len(ours)} stops: {', '.join(hostile.CASES)} under {', '.join(by_scheduler)}, {PARALLEL} trials side by side;"
        f" a watcher looks 1,000 times a second. Bare Tune: {len(tuned[REPORT])} trials that report after a step of"
        f" {TUNE_STEP:g} s, {len(tuned[STOP_ALL])} stopped while busy."
    )
    detail = {name: [stop["kill"] for stop in found] for name, found in by_scheduler.items()}
    return [_row(what, percent, ours, tuned, note, detail) for what in WHAT for percent in (50, 99)]


def _row(
    what: str, percent: int, ours: list[Any], tuned: dict[str, list[Any]], note: str, detail: dict[str, Any]
) -> Row:
    def taken(found: list[dict[str, float]]) -> list[float]:
        return [stop[what] for stop in found if what in stop]

    baselines = {name: percentile(taken(found), percent) for name, found in tuned.items() if taken(found)}
    goals = GOALS.get((what, percent), ())
    kept = {"stops": len(ours), "median_by_scheduler": {name: median(kills) for name, kills in detail.items()}}
    return Row(f"{WHAT[what]}, p{percent}", "s", percentile(taken(ours), percent), baselines, goals, note, kept)


def _arguments(socket: str, scale: Scale, busy: float) -> dict[str, Any]:
    memory = (256 if scale.quick else 512) << 20
    return {"watcher": socket, "memory": memory, "step": STEP_LIMIT, "busy": busy}


def _ours(scheduler: str, trials: int, scale: Scale) -> list[dict[str, float]]:
    case = {"name": "case", "parameterType": "categorical", "feasibleSpace": {"list": list(hostile.CASES)}}
    with watching(_folder(scale, f"watch-{scheduler}")) as (socket, watched):
        arguments = _arguments(socket, scale, 600.0)
        limits = {"memory": f"{arguments['memory'] >> 20}Mi", "stepTime": f"{int(STEP_LIMIT * 1000)}ms"}
        described = manifest(
            trials,
            parameters=[case],
            search={"algorithmName": "random", "seed": scale.seed},
            scheduler={"type": scheduler},
            trainable={
                "function": "benchmarks.workloads.hostile:train",
                "arguments": {name: str(value) for name, value in arguments.items()},
            },
            limits=limits,
        )
        swept = sweep(described, scale.scratch)
    for record in swept.records:
        memory = record["parameters"]["case"] in hostile.MEMORY_CASES
        if record["reason"] != ("MemoryLimitExceeded" if memory else "StepTimeLimitExceeded"):
            raise RuntimeError(f"a trial was not stopped at its limit: {record}")
    found = stops(watched)
    if len(found) < trials:
        raise RuntimeError(f"{len(found)} of {trials} stops were seen under {scheduler}: {watched}")
    return found


def _folder(scale: Scale, name: str) -> Path:
    folder = scale.scratch / name
    folder.mkdir()
    return folder


def _tune_at_report(trials: int, scale: Scale) -> list[dict[str, float]]:
    from ray import tune

    with watching(_folder(scale, "watch-report")) as (socket, watched):
        arguments = _arguments(socket, scale, TUNE_STEP if not scale.quick else 0.5)
        space = {"case": tune.grid_search(list(hostile.CASES)), **arguments}
        stop = {"over_limit": 1.0}
        tune_trials(tune_hostile, max(1, trials // len(hostile.CASES)), scale.scratch, space=space, stop=stop)
    return stops(watched)


def _tune_busy(scale: Scale) -> list[dict[str, float]]:
    found: list[dict[str, float]] = []
    for case in list(hostile.CASES)[: scale.pick(4, 1)]:
        with watching(_folder(scale, f"watch-busy-{case}")) as (socket, watched):
            arguments = _arguments(socket, scale, 60.0)
            crossed = scale.scratch / f"crossed-{case}"
            space = {"case": case, "mark": str(crossed), **arguments}
            tune_trials(tune_hostile, 1, scale.scratch, space=space, stop=_stop_all(crossed))
        found += stops(watched)
    return found


def _stop_all(crossed: Path) -> Any:
    from ray import tune

    class WhenCrossed(tune.Stopper):
        """Ends the experiment once the trial has crossed its limit; Tune asks in every turn of its loop."""

        def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:  # noqa: ARG002 - Tune's interface
            return False

        def stop_all(self) -> bool:
            return crossed.exists() and time.monotonic() >= float(crossed.read_text())

    return WhenCrossed()


def tune_hostile(config: dict[str, Any]) -> None:
    """The same trial as a function trainable: it reports once it is no longer busy."""
    import contextlib
    import os

    from ray import tune

    hostile.run(config, f"tune-{os.getpid()}", contextlib.nullcontext)
    tune.report({"loss": 1.0, "over_limit": 1.0})
