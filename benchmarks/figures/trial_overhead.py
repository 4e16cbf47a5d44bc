"""Time per trial beyond its own training: short trials through every system on one running Ray.

A trial's own training is measured in the trial and taken off; with these trials it is well under a millisecond. Starting
a sweep counts (a user waits for it), starting Ray does not: on a cluster it runs already.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.rows import Goal, Row
from benchmarks.scale import PARALLEL, Scale
from benchmarks.statistics import interleaved, median
from benchmarks.systems.apart import apart
from benchmarks.systems.bare_tune import tune_trials
from benchmarks.systems.optuna_joblib import optuna_trials
from benchmarks.systems.process_pool import pool_trials, preload
from benchmarks.systems.ray_cluster import ray_running
from benchmarks.systems.tuningsweep import manifest, sweep
from benchmarks.workloads import short

TUNE, REUSED, OPTUNA, POOL = "bare Tune", "bare Tune, reused actors", "Optuna with joblib", "process pool"
GOALS = (Goal("<=", 0.06), Goal("<=", 1 / 15, TUNE), Goal("<=", 1.3, POOL))
NOTE = (
    f"wall time of the whole call through {PARALLEL} parallel trials, divided by the trials; the trials' own training is"
    " under 1 ms. Bare Tune with reused actors and Optuna give a trial no process of its own. The pool's trials are forked"
    " too, but report to nobody: each of the five results of ours is a call of a Ray actor and a turn of Tune's loop (1.3 ms"
    " of the driver each, by its profile), and two lines about each trial are on disk before it goes on (0.7 ms)."
)


def measure(scale: Scale) -> list[Row]:
    """A row for few trials, one for many, and one for each further trial, which leaves the start of a sweep out."""
    few, many = scale.pick(64, 4), scale.pick(1000, 8)
    with apart() as call, ray_running(scale.scratch / "ray"):
        call(preload)
        _systems(2, scale, call)["ours"]()  # the first sweep of a Ray pays for imports that every system shares
        short_run = interleaved(scale.pick(3, 1), _systems(few, scale, call))
        long_run = interleaved(1, {n: run for n, run in _systems(many, scale, call).items() if n not in (TUNE, REUSED)})
    of_few, of_many = _medians(short_run), _medians(long_run)
    tune = {name: of_few[name] / few for name in (TUNE, REUSED)}
    scaled = (
        f"{NOTE} Bare Tune was measured with {few} trials: as it comes, {many} take it {many * tune[TUNE] / 60:.0f} minutes,"
        " and with reused actors as long if one of the first trials has ended before the second actor is up."
    )
    further = {name: (seconds - of_few[name]) / (many - few) for name, seconds in of_many.items()}
    return [
        _row(
            f"overhead per trial, {few} short trials", {name: seconds / few for name, seconds in of_few.items()}, NOTE
        ),
        _row(
            f"overhead per trial, {many} short trials",
            {name: seconds / many for name, seconds in of_many.items()} | tune,
            scaled,
        ),
        _row(f"overhead per further trial, from {few} to {many}", further, "the start of a sweep left out", goals=()),
    ]


def _systems(trials: int, scale: Scale, call: Callable[..., Any]) -> dict[str, Callable[[], float]]:
    tuned = partial(tune_trials, trials=trials, scratch=scale.scratch)
    return {
        "ours": lambda: timed(lambda: sweep(manifest(trials), scale.scratch)),
        POOL: lambda: timed(lambda: call(pool_trials, short.pool_train, [number / trials for number in range(trials)])),
        REUSED: lambda: timed(lambda: tuned(short.make_tune_class(), fastest=True)),
        OPTUNA: lambda: timed(lambda: call(optuna_trials, short.pool_train, trials, scale.scratch)),
        TUNE: lambda: timed(lambda: tuned(short.tune_train)),
    }


def timed(run: Callable[[], object]) -> float:
    """Wall seconds of a call."""
    started = time.monotonic()
    run()
    return time.monotonic() - started


def _medians(seconds: dict[str, list[float]]) -> dict[str, float]:
    return {name: median(values) for name, values in seconds.items()}


def _row(figure: str, per_trial: dict[str, float], note: str, goals: tuple[Goal, ...] = GOALS) -> Row:
    baselines = {name: per_trial[name] for name in (TUNE, REUSED, OPTUNA, POOL) if name in per_trial}
    return Row(figure, "s", per_trial["ours"], baselines, goals, note)
