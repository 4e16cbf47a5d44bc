"""Ray resources of a trial: what Ray places supervisors by. Used by run.py."""

import math
from typing import Final

from tuningsweep_api.spec.sweep import TuningSweepSpec
from tuningsweep_api.spec.sweep_rules import AUTO

LOCAL_CPU: Final = 0.001
"""Cores that Ray sets aside for a local trial: next to none, parallelTrialCount bounds how many run."""
MOST_PER_CORE: Final = 4
"""With parallelTrialCount Auto, trials that share a core at most: memory decides, but more would only wait for each other."""


def trial_resources(spec: TuningSweepSpec, *, local: bool) -> dict[str, float]:
    """As Ray's remote functions name them."""
    packed = spec.parallel_trial_count == AUTO
    if local:
        return {"num_cpus": 1 / MOST_PER_CORE if packed else LOCAL_CPU}
    cpus = spec.cluster.ray_cpus_per_trial
    if packed:
        cpus /= MOST_PER_CORE
    gpus = spec.cluster.resources_per_trial.gpu
    # Ray takes a fraction only of one CPU.
    return {"num_cpus": cpus if cpus < 1 else math.floor(cpus)} | ({"num_gpus": float(gpus)} if gpus else {})
