"""How often the data set is in memory with several parallel trials: in ours, and in bare Tune as users write it.

Ours maps the prepared files: PSS of those mappings over all processes, in data sets, counts every page once however many
processes share it. Bare Tune's trials load the file each, or get it from Ray's object store.
"""

import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import data
from benchmarks.processes import PATIENCE_SECONDS, family, pss, pss_of_files, while_held
from benchmarks.rows import Goal, Row
from benchmarks.scale import Scale
from benchmarks.systems.bare_tune import tune_trials
from benchmarks.systems.ray_cluster import ray_running
from benchmarks.systems.tuningsweep import manifest, sweep
from benchmarks.workloads import holding
from tuningsweep_api.spec.trainable import Task

LOADED, STORE = "bare Tune, loaded by each trial", "bare Tune, object store"
FILE = "training_features.npy"


def measure(scale: Scale) -> list[Row]:
    """One row."""
    trials = scale.pick(4, 2)
    source = data.mnist(scale)
    file = Path(source.prepared(Task.CLASSIFICATION, scale.scratch / "data").folder) / FILE
    with ray_running(scale.scratch / "ray", cores=trials):
        ours = _ours(trials, source.dataset, file.stat().st_size, scale)
        loaded = _tune(holding.tune_loads, trials, file, scale)
        store = _shared(trials, file, scale)
    note = (
        f"{trials} parallel trials on {source.name}, training rows of {file.stat().st_size >> 20} MiB; PSS, so shared pages"
        " count once; 1 is once per node"
    )
    baselines = {LOADED: loaded, STORE: store}
    return [Row("copies of the data set in memory", "data sets", ours, baselines, (Goal("<=", 1.05),), note)]


def _ours(trials: int, dataset: dict[str, Any], size: int, scale: Scale) -> float:
    """Built-in trials go on until their duration limit ends them; the most seen while all run is taken."""
    builtin = {"model": "linearSVM", "task": "classification", "dataset": dataset, "steps": 10**8}
    batch = {
        "name": "batch_size",
        "parameterType": "discrete",
        "feasibleSpace": {"list": [str(scale.pick(10_000, 100))]},
    }
    described = manifest(
        trials,
        trials,
        objective={"type": "minimize", "objectiveMetricName": "validation_loss"},
        parameters=[batch],
        trainable={"builtin": {**builtin, "evaluateEverySteps": 10**8}},
        limits={"trialDuration": f"{scale.pick(20, 5)}s"},
    )
    thread = threading.Thread(target=sweep, args=(described, scale.scratch))
    thread.start()
    highest, deadline = 0, time.monotonic() + PATIENCE_SECONDS
    while thread.is_alive() and time.monotonic() < deadline:
        highest = max(highest, pss_of_files(family(), FILE))
        time.sleep(0.5)
    thread.join()
    if highest == 0:
        raise RuntimeError(f"no process was seen to map {FILE}")
    return highest / size


def _tune(trainable: Any, trials: int, file: Path, scale: Scale, **space: Any) -> float:
    """Growth of PSS with the data set, less the same trials without it."""
    size = file.stat().st_size

    def run(train: Any) -> int:
        folder = Path(tempfile.mkdtemp(prefix="hold-", dir=scale.scratch))
        config = {"folder": str(folder), "file": str(file), **space}
        start: Callable[[], object] = lambda: tune_trials(  # noqa: E731 - a callable of no arguments
            train, trials, scale.scratch, parallel=trials, space=config
        )
        return while_held(start, folder, trials, lambda _: pss(family()))

    without = run(holding.tune_train) - trials * holding.HELD_BYTES
    return max(0.0, (run(trainable) - without) / size)


def _shared(trials: int, file: Path, scale: Scale) -> float:
    from ray import tune

    return _tune(tune.with_parameters(holding.tune_shares, rows=np.load(file)), trials, file, scale)
