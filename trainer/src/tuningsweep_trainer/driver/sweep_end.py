"""Whether a sweep is over before all its trials ran: pure checks over the tally, in the order of CHECKS; for the board."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tuningsweep_api.messages import DesiredState
from tuningsweep_api.optimal import is_as_good
from tuningsweep_api.outcomes import ConditionReason, Outcome, Reason
from tuningsweep_trainer.driver.tally import Tally

METRIC_MISSING_TRIALS: Final = 3
"""So many trials that all end without the objective, and none with it, fail the sweep: the name is wrong."""


@dataclass(frozen=True)
class SweepEnd:
    """Why the sweep hands out no more trials and stops those that run."""

    reason: Reason
    condition: ConditionReason
    message: str


def _past_deadline(tally: Tally, desired: DesiredState) -> SweepEnd | None:  # noqa: ARG001 - one signature for all checks
    if desired.end is None:
        return None
    message = "the sweep's activeDeadlineSeconds went by; running trials were stopped"
    return SweepEnd(desired.end, ConditionReason.DEADLINE_EXCEEDED, message)


def _goal_reached(tally: Tally, desired: DesiredState) -> SweepEnd | None:  # noqa: ARG001
    goal, best = tally.objective.goal, tally.best
    if goal is None or best is None or not is_as_good(tally.objective, best.objective, float(goal)):
        return None
    return SweepEnd(Reason.SWEEP_ENDED, ConditionReason.GOAL_REACHED, f"{best.trial} reached objective.goal {goal}")


def _objective_missing(tally: Tally, desired: DesiredState) -> SweepEnd | None:
    enough = min(METRIC_MISSING_TRIALS, desired.max_trial_count, desired.max_failed_trial_count + 1)
    if tally.reported_objective or tally.reasons[Reason.METRIC_MISSING] < enough:
        return None
    return SweepEnd(Reason.SWEEP_ENDED, ConditionReason.OBJECTIVE_METRIC_MISSING, tally.first_metric_missing)


def _too_many_failed(tally: Tally, desired: DesiredState) -> SweepEnd | None:
    failed, allowed = tally.outcomes[Outcome.FAILED], desired.max_failed_trial_count
    if failed <= allowed:
        return None
    message = f"{failed} trials failed, spec.maxFailedTrialCount is {allowed}; the last: {tally.last_failure}"
    return SweepEnd(Reason.SWEEP_ENDED, ConditionReason.MAX_FAILED_TRIALS_EXCEEDED, message)


CHECKS: Final[tuple[Callable[[Tally, DesiredState], SweepEnd | None], ...]] = (
    _past_deadline,
    _goal_reached,
    _objective_missing,  # says more than that too many failed
    _too_many_failed,
)


def sweep_end(tally: Tally, desired: DesiredState) -> SweepEnd | None:
    """The first reason in the order of CHECKS for which the sweep is over, or None."""
    return next((end for check in CHECKS if (end := check(tally, desired)) is not None), None)
