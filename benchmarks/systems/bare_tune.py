"""Bare Ray Tune with the same trials: as it comes, and with the fastest settings that its documentation offers.

Fastest: actors reused (`reuse_actors`), no result loggers, no progress output, next to no CPU set aside per trial.
"""

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.scale import PARALLEL
from benchmarks.systems.ray_cluster import environment
from tuningsweep_trainer.driver.ray_session import ENVIRONMENT

AS_IT_COMES: dict[str, str | None] = {name: None for name in ENVIRONMENT if name.startswith(("TUNE_", "RAY_AIR"))}
QUIET: dict[str, str | None] = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",
}


def tune_trials(
    trainable: Any,
    trials: int,
    scratch: Path,
    *,
    fastest: bool = False,
    parallel: int = PARALLEL,
    space: dict[str, Any] | None = None,
    **run: Any,
) -> Any:
    """Run trials of random search over `x` (or `space`); Tune's ResultGrid. RuntimeError if a trial failed."""
    from ray import tune

    storage = tempfile.mkdtemp(prefix="tune-", dir=scratch)
    with environment(AS_IT_COMES | (QUIET if fastest else {})):
        resources: dict[str, float] = {"cpu": 0.001} if fastest else {"cpu": 1}
        tuner = tune.Tuner(
            tune.with_resources(trainable, resources),
            param_space=space or {"x": tune.uniform(0.0, 1.0)},
            tune_config=tune.TuneConfig(
                metric="loss",
                mode="min",
                num_samples=trials,
                reuse_actors=fastest,
                max_concurrent_trials=parallel,
            ),
            run_config=tune.RunConfig(
                storage_path=storage,
                verbose=0,
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                **run,
            ),
        )
        grid = tuner.fit()
    if grid.num_errors:
        raise RuntimeError(f"{grid.num_errors} trials of bare Tune failed: {grid.errors[0]}")
    return grid
