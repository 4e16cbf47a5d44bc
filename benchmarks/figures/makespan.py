"""Makespan of the 16-trial MNIST grid without limits: the same training function under every system.

Preparing the data set counts for all of them; the baselines map it as ours does, which is the fastest they can.
"""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import data
from benchmarks.figures.trial_overhead import timed
from benchmarks.rows import Goal, Row
from benchmarks.scale import PARALLEL, Scale
from benchmarks.statistics import interleaved, median
from benchmarks.systems.apart import apart
from benchmarks.systems.bare_tune import tune_trials
from benchmarks.systems.process_pool import pool_trials, preload
from benchmarks.systems.ray_cluster import ray_running
from benchmarks.systems.tuningsweep import manifest, sweep
from benchmarks.workloads.grid import GRID, builtin, grid_parameters, plain_train, tune_train
from tuningsweep_api.spec.trainable import Task

TUNE, REUSED, POOL = "bare Tune", "bare Tune, reused actors", "process pool"
GOALS = (Goal("<=", 1, TUNE), Goal("<=", 1, REUSED), Goal("<=", 1.1, POOL))


def measure(scale: Scale) -> list[Row]:
    """One row."""
    source = data.mnist(scale)
    spec = builtin("linearSVM", "classification", source.dataset, steps=scale.pick(20, 2))
    grid = GRID[: scale.pick(len(GRID), 3)]
    folders = (scale.scratch / f"data-{number}" for number in range(1000))
    with apart() as call, ray_running(scale.scratch / "ray"):
        call(preload)
        systems = {
            "ours": lambda: _ours(spec, len(grid), scale),
            POOL: lambda: call(_pool, source, spec, grid, next(folders)),
            REUSED: lambda: _tune(source, spec, grid, next(folders), scale, fastest=True),
            TUNE: lambda: _tune(source, spec, grid, next(folders), scale, fastest=False),
        }
        measured = interleaved(scale.pick(2, 1), {name: _timer(run) for name, run in systems.items()})
    seconds = {name: median(values) for name, values in measured.items()}
    note = (
        f"{len(grid)} trials of {spec['steps']} steps, batches of 30 to 30,000 rows of {source.name},"
        f" {PARALLEL} side by side"
    )
    return [Row("makespan of the MNIST grid", "s", seconds.pop("ours"), seconds, GOALS, note, {"all": measured})]


def _timer(run: Callable[[], object]) -> Callable[[], float]:
    return lambda: timed(run)


def _ours(spec: dict[str, Any], trials: int, scale: Scale) -> None:
    described = manifest(
        trials,
        objective={"type": "minimize", "objectiveMetricName": "validation_loss"},
        parameters=grid_parameters(),
        search={"algorithmName": "grid"},
        trainable={"builtin": spec},
    )
    swept = sweep(described, scale.scratch)
    failed = [record for record in swept.records if record["outcome"] != "Succeeded"]
    if failed:
        raise RuntimeError(f"{len(failed)} trials did not succeed: {failed[0]}")


def _pool(source: data.Source, spec: dict[str, Any], grid: list[dict[str, float]], folder: Path) -> None:
    reference = source.prepared(Task.CLASSIFICATION, folder).dump()
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):  # noqa: PTH123 - a device
        pool_trials(plain_train, [(parameters, spec, reference) for parameters in grid])


def _tune(
    source: data.Source,
    spec: dict[str, Any],
    grid: list[dict[str, float]],
    folder: Path,
    scale: Scale,
    *,
    fastest: bool,
) -> None:
    from ray import tune

    reference = source.prepared(Task.CLASSIFICATION, folder).dump()
    space = {"parameters": tune.grid_search(grid), "spec": spec, "reference": reference}
    tune_trials(tune_train, 1, scale.scratch, fastest=fastest, space=space)
