"""Memory held per parallel trial beyond its own: PSS of every process of a system, with one trial and with several.

The growth per trial, less what the trial itself takes, is what the system holds for it: supervisor, fork server, actor.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.processes import family, pss, while_held
from benchmarks.rows import Goal, Row
from benchmarks.scale import Scale
from benchmarks.systems.bare_tune import tune_trials
from benchmarks.systems.process_pool import pool_trials
from benchmarks.systems.ray_cluster import ray_running
from benchmarks.systems.tuningsweep import manifest, sweep
from benchmarks.workloads import holding

TUNE, POOL = "bare Tune", "process pool"
MIB = 1 << 20
Start = Callable[[int, Path], Callable[[], object]]


def measure(scale: Scale) -> list[Row]:
    """One row."""
    several = scale.pick(4, 2)
    pool = _per_trial(_pool, several, scale)  # before Ray: it forks
    with ray_running(scale.scratch / "ray", cores=several):
        ours = _per_trial(lambda trials, folder: _ours(trials, folder, scale), several, scale)
        tune = _per_trial(lambda trials, folder: _tune(trials, folder, scale), several, scale)
    note = (
        f"growth of PSS over all processes from 1 to {several} parallel trials, per trial, less the"
        f" {holding.HELD_BYTES // MIB} MiB that a trial holds. Ours has a Tune actor too, which stands for the trial,"
        " and beside it the process that trains and the one that it is forked from: it can be killed and measured by itself"
    )
    return [Row("memory per parallel trial", "MiB", ours, {TUNE: tune, POOL: pool}, (Goal("<", 1, TUNE),), note)]


def _per_trial(start: Start, several: int, scale: Scale) -> float:
    """MiB."""
    one, all_ = (_held(start, trials, scale) for trials in (1, several))
    return ((all_ - one) / (several - 1) - holding.HELD_BYTES) / MIB


def _held(start: Start, trials: int, scale: Scale) -> int:
    folder = Path(tempfile.mkdtemp(prefix="hold-", dir=scale.scratch))
    return while_held(start(trials, folder), folder, trials, lambda _: pss(family()))


def _ours(trials: int, folder: Path, scale: Scale) -> Callable[[], object]:
    trainable = {"function": "benchmarks.workloads.holding:train", "arguments": {"folder": str(folder)}}
    return lambda: sweep(manifest(trials, trials, trainable=trainable), scale.scratch)


def _tune(trials: int, folder: Path, scale: Scale) -> Callable[[], object]:
    space = {"folder": str(folder)}
    return lambda: tune_trials(holding.tune_train, trials, scale.scratch, fastest=True, parallel=trials, space=space)


def _pool(trials: int, folder: Path) -> Callable[[], object]:
    return lambda: pool_trials(holding.pool_train, [str(folder)] * trials, trials)
