"""`spec.scheduler` as a Tune scheduler; the unit of time is the trial's step."""

from typing import Any

from ray.tune import schedulers

from tuningsweep_api.spec.search import SchedulerType
from tuningsweep_api.spec.sweep import TuningSweepSpec
from tuningsweep_trainer.driver.proposals import domain

TIME_ATTRIBUTE = "step"


def make_scheduler(spec: TuningSweepSpec) -> Any:
    """The scheduler; metric and mode are given to it by Tune."""
    wanted = spec.scheduler
    if wanted.type is SchedulerType.ASHA:
        return schedulers.AsyncHyperBandScheduler(
            time_attr=TIME_ATTRIBUTE,
            max_t=wanted.max_steps,
            grace_period=wanted.grace_period_steps,
            reduction_factor=wanted.reduction_factor,
        )
    if wanted.type is SchedulerType.MEDIAN_STOPPING:
        return schedulers.MedianStoppingRule(time_attr=TIME_ATTRIBUTE, grace_period=wanted.grace_period_steps)
    if wanted.type is SchedulerType.HYPERBAND:
        return schedulers.HyperBandScheduler(
            time_attr=TIME_ATTRIBUTE, max_t=wanted.max_steps, reduction_factor=wanted.reduction_factor
        )
    if wanted.type is SchedulerType.PBT:
        return schedulers.PopulationBasedTraining(
            time_attr=TIME_ATTRIBUTE,
            perturbation_interval=wanted.perturbation_interval_steps,
            hyperparam_mutations={"parameters": {p.name: domain(p) for p in spec.parameters}},
            require_attrs=False,  # a trial may end before its first report
        )
    return schedulers.FIFOScheduler()
