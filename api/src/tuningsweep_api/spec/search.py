"""`spec.search` and `spec.scheduler`: which configurations are tried, which trials are ended for their results."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from tuningsweep_api.model import Model
from tuningsweep_api.spec.rules import Rule, RuledModel


class SearchAlgorithm(StrEnum):
    """Search algorithms; Katib's names."""

    GRID = "grid"
    RANDOM = "random"
    TPE = "tpe"
    MULTIVARIATE_TPE = "multivariate-tpe"
    CMA_ES = "cmaes"
    SOBOL = "sobol"
    HYPEROPT = "hyperopt"


class Search(Model):
    """How configurations are chosen."""

    algorithm_name: SearchAlgorithm = SearchAlgorithm.RANDOM
    """grid (every combination), random, sobol (quasi-random), or one that learns from results: tpe and
    multivariate-tpe (tree-structured Parzen estimators), cmaes (evolution strategy, for numbers), hyperopt (its TPE)."""
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    """Seed of the search: the same manifest proposes the same configurations."""
    points_to_evaluate: Annotated[
        list[Annotated[dict[str, Annotated[str, Field(max_length=128)]], Field(max_length=32)]], Field(max_length=16)
    ] = []
    """Configurations to try first, in this order, before the search chooses its own and learning from them: a value, as a
    string, of every parameter. What was best elsewhere, say. A value between steps is put on the nearest one."""


class SchedulerType(StrEnum):
    """Tune schedulers that end or change trials by their results."""

    NONE = "None"
    ASHA = "ASHA"
    MEDIAN_STOPPING = "MedianStopping"
    HYPERBAND = "HyperBand"
    BOHB = "BOHB"
    PBT = "PBT"
    PB2 = "PB2"

    @property
    def ends_at_max_steps(self) -> bool:
        """Whether a trial at maxSteps counts as fully trained."""
        return self in (SchedulerType.ASHA, SchedulerType.HYPERBAND, SchedulerType.BOHB)


_RULES = (
    Rule(
        "self.gracePeriodSteps <= self.maxSteps",
        "scheduler.gracePeriodSteps must not be above scheduler.maxSteps",
        lambda s: s.grace_period_steps <= s.max_steps,
    ),
)


class Scheduler(RuledModel):
    """How trials are ended (or, with PBT, changed) for their results while they run. Units are steps."""

    RULES = _RULES

    type: SchedulerType = SchedulerType.NONE
    """None, ASHA, MedianStopping, HyperBand, BOHB (HyperBand that fills brackets as searchers like), PBT or PB2."""
    max_steps: int = Field(default=1000, ge=1)
    """Steps after which a trial is as trained as it can get (ASHA, HyperBand, BOHB): with its first report at this step
    or a later one it ends, as Succeeded. Steps are what `step()` or a command's `step` counts, or reports where neither
    does."""
    grace_period_steps: int = Field(default=100, ge=1)
    """Steps every trial may run before it can be pruned (ASHA, MedianStopping)."""
    reduction_factor: int = Field(default=4, ge=2, le=64)
    """Share of trials that go on at each rung is one in this many (ASHA, HyperBand, BOHB)."""
    perturbation_interval_steps: int = Field(default=200, ge=1)
    """Steps between exploit-and-explore decisions (PBT, PB2)."""
