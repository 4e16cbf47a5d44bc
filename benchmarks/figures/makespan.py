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
from benchmarks.systems.tuningsweep import sweep
from benchmarks.workloads.grid import plain_train, thesis_sweep, tune_train
from tuningsweep_api.spec.dataset import Dataset
from tuningsweep_api.spec.storage import Tracking
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.spec.trainable import Task
from tuningsweep_trainer.driver.search_space import Parameters, grid_configuration
from tuningsweep_trainer.reproduce.workloads import builtin_of, with_builtin, with_spec

TUNE, REUSED, POOL = "bare Tune", "bare Tune, reused actors", "process pool"
GOALS = (Goal("<=", 1, TUNE), Goal("<=", 1, REUSED), Goal("<=", 1.1, POOL))


def measure(scale: Scale) -> list[Row]:
    """One row."""
    source = data.mnist(scale)
    steps = scale.pick(20, 2)
    described = with_builtin(
        thesis_sweep("mnist-svm"),
        dataset=Dataset.model_validate(source.dataset),
        steps=steps,
        evaluate_every_steps=steps,
    )
    spec = builtin_of(described).dump()
    grid = [
        grid_configuration(described.spec.parameters, at) for at in range(scale.pick(described.spec.max_trial_count, 3))
    ]
    folders = (scale.scratch / f"data-{number}" for number in range(1000))
    with apart() as call, ray_running(scale.scratch / "ray"):
        call(preload)
        systems = {
            "ours": lambda: _ours(described, len(grid), scale),
            POOL: lambda: call(_pool, source, spec, grid, next(folders)),
            REUSED: lambda: _tune(source, spec, grid, next(folders), scale, fastest=True),
            TUNE: lambda: _tune(source, spec, grid, next(folders), scale, fastest=False),
        }
        measured = interleaved(scale.pick(2, 1), {name: _timer(run) for name, run in systems.items()})
    seconds = {name: median(values) for name, values in measured.items()}
    note = (
        f"{len(grid)} trials of {spec['steps']} steps, batches of 30 to 30,000 rows of {source.name},"
        f" {PARALLEL} side by side. Ours begins with {PARALLEL} supervisors and a fork server with scikit-learn for each; the"
        " pool has imported it before, bare Tune imports it in its actors"
    )
    return [Row("makespan of the MNIST grid", "s", seconds.pop("ours"), seconds, GOALS, note, {"all": measured})]


def _timer(run: Callable[[], object]) -> Callable[[], float]:
    return lambda: timed(run)


def _ours(described: TuningSweep, trials: int, scale: Scale) -> None:
    parallel = min(PARALLEL, trials)
    described = with_spec(
        described, max_trial_count=trials, parallel_trial_count=parallel, tracking=Tracking(enabled=False)
    )
    swept = sweep(described.dump(), scale.scratch)
    failed = [record for record in swept.records if record["outcome"] != "Succeeded"]
    if failed:
        raise RuntimeError(f"{len(failed)} trials did not succeed: {failed[0]}")


def _pool(source: data.Source, spec: dict[str, Any], grid: list[Parameters], folder: Path) -> None:
    reference = source.prepared(Task.CLASSIFICATION, folder).dump()
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):  # noqa: PTH123 - a device
        pool_trials(plain_train, [(parameters, spec, reference) for parameters in grid])


def _tune(
    source: data.Source,
    spec: dict[str, Any],
    grid: list[Parameters],
    folder: Path,
    scale: Scale,
    *,
    fastest: bool,
) -> None:
    from ray import tune

    reference = source.prepared(Task.CLASSIFICATION, folder).dump()
    space = {"parameters": tune.grid_search(grid), "spec": spec, "reference": reference}
    tune_trials(tune_train, 1, scale.scratch, fastest=fastest, space=space)
