"""Ray resources of a trial: what Ray places supervisors by. Used by run.py."""

from typing import Final

from tuningsweep_api.quantities import quantity_value
from tuningsweep_api.spec.sweep import TuningSweepSpec
from tuningsweep_api.spec.sweep_rules import AUTO

LOCAL_CPU: Final = 0.001
"""Cores that Ray sets aside for a local trial: next to none, parallelTrialCount bounds how many run."""
MOST_PER_CORE: Final = 4
"""With parallelTrialCount Auto, trials that share a core at most: memory decides, but more would only wait for each other."""


def trial_resources(spec: TuningSweepSpec, *, local: bool) -> dict[str, float]:
    """As Ray's remote functions name them."""
    packed = spec.parallel_trial_count == AUTO
    wanted = spec.cluster.resources_per_trial
    if local:
        return {"num_cpus": 1 / MOST_PER_CORE if packed else LOCAL_CPU}
    cores = float(quantity_value(wanted.cpu))
    resources = {"num_cpus": cores / MOST_PER_CORE if packed else cores}
    return resources | ({"num_gpus": float(wanted.gpu)} if wanted.gpu else {})
