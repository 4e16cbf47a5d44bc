"""The open question's experiment: the same sweep with limits, a forecast, ASHA, or both, and what each is compared by.

Called by the reproduction and by the benchmark's figure of savings. Pure.
"""

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from tuningsweep_api.optimal import optimal_trial
from tuningsweep_api.outcomes import Outcome
from tuningsweep_api.spec.limits import Forecasting, Limits
from tuningsweep_api.spec.objective import Objective, ObjectiveType
from tuningsweep_api.spec.search import Scheduler, SchedulerType
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.reproduce.workloads import MNIST, builtin_of, openml_id, with_spec

HEADROOM: Final = 1.25
"""Limits are so many times what a trial without limits needed."""
LEAST_STEP_MILLISECONDS: Final = 2.0
"""No limit on mean step time is below what a scheduler's hiccup costs a step of a tiny batch."""
EXAMPLE_MEMORY: Final = "400Mi"
"""The thesis' example: runs over 400 MB would be stopped."""
REDUCTION_FACTOR: Final = 4
STEP_TIME: Final = "mean_step_time_seconds"


class Arm(StrEnum):
    """Ways to run a workload's sweep."""

    NONE = "none"
    LIMITS = "limits"
    LIMITS_75 = "limits-75"
    LIMITS_50 = "limits-50"
    FORECAST = "limits+forecast"
    ASHA = "asha"
    BOTH = "asha+limits"
    EXAMPLE = "400Mi"

    @property
    def needs_limits(self) -> bool:
        """Whether its limits are derived from the run without any."""
        return self in (Arm.LIMITS, Arm.FORECAST, Arm.BOTH) or self in SHARES


SHARES: Final = {Arm.LIMITS_75: 0.75, Arm.LIMITS_50: 0.5}
"""Part of the trials whose needs are within the limits, where the limits are not the best trial's: what tighter ones cost."""


def arms_of(sweep: TuningSweep) -> list[Arm]:
    """All arms but `none`; the memory example is for the large data set it is about."""
    example = [Arm.EXAMPLE] if openml_id(sweep) == MNIST else []
    return [Arm.LIMITS, *SHARES, Arm.FORECAST, Arm.ASHA, Arm.BOTH, *example]


def limits_for(arm: Arm, objective: Objective, records: Sequence[TrialRecord], unlimited: Limits) -> Limits:
    """The limits of an arm, from the records of the same sweep without any: HEADROOM times what some trial needed.

    That trial is the best one, or the one at the arm's share. ValueError if no trial was trained and measured.
    """
    measured = [record for record in records if STEP_TIME in record.metrics and record.peak_memory > 0]
    best = optimal_trial(objective, measured)
    if best is None:
        raise ValueError("no trial without limits was trained and measured, so there is nothing to derive limits from")
    kept = [record for record in measured if record.trial == best.trial]
    if arm in SHARES:
        memory, step = (_at_share(SHARES[arm], values) for values in (_memory(measured), _steps(measured)))
    else:
        memory, step = _memory(kept)[0], _steps(kept)[0]
    milliseconds = max(LEAST_STEP_MILLISECONDS, HEADROOM * 1000 * step)
    mebibytes = (int(HEADROOM * memory) >> 20) + 1
    return unlimited.model_copy(update={"memory": f"{mebibytes}Mi", "mean_step_time": f"{milliseconds:.0f}ms"})


def _memory(records: Sequence[TrialRecord]) -> list[float]:
    return [float(record.peak_memory) for record in records]


def _steps(records: Sequence[TrialRecord]) -> list[float]:
    return [record.metrics[STEP_TIME] for record in records]


def _at_share(share: float, values: Sequence[float]) -> float:
    """The smallest value that this part of the values does not exceed."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


def sweep_of(arm: Arm, sweep: TuningSweep, limits: Limits | None) -> TuningSweep:
    """The sweep of an arm; `limits` are for arms that need them."""
    if arm.needs_limits:
        assert limits is not None
        skip = Forecasting.SKIP if arm is Arm.FORECAST else Forecasting.OFF
        sweep = with_spec(sweep, limits=limits.model_copy(update={"forecast": skip}))
    if arm in (Arm.ASHA, Arm.BOTH):
        sweep = with_spec(sweep, scheduler=asha(sweep))
    if arm is Arm.EXAMPLE:
        sweep = with_spec(sweep, limits=sweep.spec.limits.model_copy(update={"memory": EXAMPLE_MEMORY}))
    return sweep


def asha(sweep: TuningSweep) -> Scheduler:
    """ASHA over a whole trial's steps, whose first rung is the first evaluation."""
    spec = builtin_of(sweep)
    return Scheduler(
        type=SchedulerType.ASHA,
        max_steps=spec.steps,
        grace_period_steps=spec.evaluate_every_steps,
        reduction_factor=REDUCTION_FACTOR,
    )


def falsely_skipped(records: Sequence[TrialRecord], unlimited: Sequence[TrialRecord], limits: Limits) -> list[str]:
    """Trials that the forecast skipped although the same configuration, in the run without limits, stayed within them."""
    needed = {_configuration(record): record for record in unlimited}
    skipped = [record for record in records if record.outcome is Outcome.SKIPPED]
    return [one.trial for one in skipped if _fits(needed.get(_configuration(one)), limits)]


def _configuration(record: TrialRecord) -> tuple[tuple[str, object], ...]:
    return tuple(sorted(record.parameters.items()))


def _fits(needed: TrialRecord | None, limits: Limits) -> bool:
    """Whether a trial that ran without limits would have stayed within these; one that was never measured, we can't say."""
    if needed is None or STEP_TIME not in needed.metrics:
        return False
    memory, step = limits.memory_bytes, limits.mean_step_seconds
    return (memory is None or needed.peak_memory <= memory) and (step is None or needed.metrics[STEP_TIME] <= step)


def regret(objective: Objective, without: float, with_: float) -> float:
    """How much worse the best objective got, as a part of the best without limits; 0 if it did not."""
    sign = 1.0 if objective.type is ObjectiveType.MINIMIZE else -1.0
    return max(0.0, sign * (with_ - without)) / max(abs(without), 1e-12)
