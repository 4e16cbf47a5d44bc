"""Folds an Observation into the status of a sweep: conditions, counts, best trial, last stops, phase."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tuningsweep_api.messages import SweepState
from tuningsweep_api.optimal import objectives_of
from tuningsweep_api.outcomes import ConditionReason, ConditionType, Phase
from tuningsweep_api.spec.objective import Objective
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.status import STOPS_SHOWN, ParetoTrial, StatusStop, StatusTrial, TuningSweepStatus
from tuningsweep_api.trials import OptimalTrial, StopRecord, TrialCounts
from tuningsweep_operator.hold_back.decision import Hold
from tuningsweep_operator.settings import Settings
from tuningsweep_operator.status.conditions import Conditions, condition_holds, timestamp
from tuningsweep_operator.status.observation import Observation, Trouble
from tuningsweep_operator.status.queue import QUEUE_REASONS, reason_to_wait
from tuningsweep_operator.status.text import number, quantity
from tuningsweep_operator.status.trouble import (
    CHECKS,
    CHECKS_WHILE_HELD,
    CHECKS_WHILE_QUEUED,
    CHECKS_WHILE_SUSPENDED,
    find_trouble,
)

DEADLINE_GRACE = timedelta(seconds=30)
"""Time a driver has to stop its trials and say how it ended, from when it was told and before the cluster is taken away."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a sweep ended."""

    kind: ConditionType
    reason: ConditionReason
    message: str


def is_finished(status: TuningSweepStatus) -> bool:
    """Whether a sweep is Complete or Failed."""
    return any(condition_holds(status.conditions, kind) for kind in (ConditionType.COMPLETE, ConditionType.FAILED))


def parse_time(text: str) -> datetime:
    """An RFC 3339 time as Kubernetes writes it."""
    return datetime.fromisoformat(text)


def deadline(sweep: TuningSweep, status: TuningSweepStatus) -> datetime | None:
    """When activeDeadlineSeconds goes by, counted as on a Job from the start or the last resumption."""
    seconds = sweep.spec.active_deadline_seconds
    if seconds is None or status.start_time is None or sweep.spec.suspend:
        return None
    if condition_holds(status.conditions, ConditionType.SUSPENDED):
        return None  # being resumed: the start time in the status is the one before
    return parse_time(status.start_time) + timedelta(seconds=seconds)


def fold(
    sweep: TuningSweep, previous: TuningSweepStatus, seen: Observation, settings: Settings, now: datetime
) -> TuningSweepStatus:
    """The status that follows from the previous one and what was seen."""
    conditions = Conditions(previous.conditions, sweep.metadata.generation, now)
    late = _is_late(conditions, seen, settings)
    changes = _progress(sweep, previous, seen)
    ending = _ending(sweep, seen)
    if ending is not None:
        finish(conditions, ending)
        changes["trials"] = _left(changes.get("trials", previous.trials))
        changes["completion_time"] = timestamp(now)
    elif sweep.spec.suspend:
        _suspend(conditions, seen)
        _note_trouble(conditions, find_trouble(seen, settings, CHECKS_WHILE_SUSPENDED))
    elif seen.is_queued:
        _wait_in_queue(conditions, seen)
        _note_trouble(conditions, find_trouble(seen, settings, CHECKS_WHILE_QUEUED))
    elif seen.hold is not None:
        _hold_back(conditions, seen.hold)
        _note_trouble(conditions, find_trouble(seen, settings, CHECKS_WHILE_HELD))
    else:
        resumed = conditions.holds(ConditionType.SUSPENDED)
        if resumed:
            conditions.set(ConditionType.SUSPENDED, "False", ConditionReason.RESUMED, "it goes on")
        if resumed or previous.start_time is None:
            changes["start_time"] = timestamp(now)
        if not late:
            _go_on(conditions, seen)
        _note_trouble(conditions, find_trouble(seen, settings, CHECKS))
    runs = seen.state is not None or late or (ending is None and changes.get("trials", previous.trials).running > 0)
    changes |= {
        "conditions": conditions.list(),
        "observed_generation": sweep.metadata.generation,
        "phase": _phase(conditions, runs=runs),
    }
    return previous.model_copy(update=changes)


def _progress(sweep: TuningSweep, previous: TuningSweepStatus, seen: Observation) -> dict[str, Any]:
    """What the RayJob and the driver's state change in the status."""
    changes: dict[str, Any] = {
        "ray_job_name": None if seen.ray_job is None else seen.ray_job["metadata"]["name"],
        "ray_cluster_name": seen.job_status.get("rayClusterName") or None,
        "driver_restarts": max(previous.driver_restarts, seen.driver_failures),
    }
    state = seen.state
    if state is None:
        # Trials that ran are nobody's now: they wait to be resumed. Unless the driver is only silent.
        if seen.deployment != "Running" and previous.trials.running:
            changes["trials"] = _left(previous.trials)
        return changes
    return changes | {
        "trials": state.trials,
        "current_optimal_trial": None if state.optimal_trial is None else _status_trial(state.optimal_trial),
        "pareto_front": [_pareto_trial(sweep.spec.objective, trial) for trial in state.pareto_front],
        "pareto_front_size": state.pareto_front_size or None,
        "last_stops": _last_stops(previous, state),
        "stop_count": max(previous.stop_count, state.stop_count),
        "desired_digest": state.desired_digest,
    }


def _left(counts: TrialCounts) -> TrialCounts:
    """The counts once nothing runs any more: what ran has not ended."""
    return counts.model_copy(update={"running": 0, "held": 0, "pending": counts.pending + counts.running})


def _status_trial(best: OptimalTrial) -> StatusTrial:
    return StatusTrial(
        trial=best.trial,
        parameters={name: number(value) for name, value in best.parameters.items()},
        objective=number(best.objective),
        metrics={name: number(value) for name, value in best.metrics.items()},
    )


def _pareto_trial(objective: Objective, trial: OptimalTrial) -> ParetoTrial:
    values = objectives_of(objective, trial)
    return ParetoTrial(trial=trial.trial, objectives={name: number(value) for name, value in values.items()})


def _last_stops(previous: TuningSweepStatus, state: SweepState) -> list[StatusStop]:
    newest_first = sorted(state.recent_stops, key=lambda stop: -stop.sequence)
    return [_status_stop(stop) for stop in newest_first[:STOPS_SHOWN]] or previous.last_stops


def _status_stop(stop: StopRecord) -> StatusStop:
    return StatusStop(
        trial=stop.trial,
        outcome=stop.outcome,
        reason=stop.reason,
        observed=quantity(stop.reason, stop.observed),
        limit=quantity(stop.reason, stop.limit),
        time=stop.time,
    )


def _ending(sweep: TuningSweep, seen: Observation) -> Ending | None:
    if seen.state is not None and seen.state.result is not None:
        result = seen.state.result
        kind = ConditionType.COMPLETE if result.succeeded else ConditionType.FAILED
        return Ending(kind, result.reason, result.message)
    if seen.overdue is not None and seen.overdue > DEADLINE_GRACE:
        seconds = sweep.spec.active_deadline_seconds
        message = f"activeDeadlineSeconds {seconds} went by, the driver did not end in time, its cluster is taken away"
        return Ending(ConditionType.FAILED, ConditionReason.DEADLINE_EXCEEDED, message)
    waits = sweep.spec.suspend or seen.is_queued or seen.hold is not None
    return None if waits else _worn_out(sweep, seen) or _job_ending(seen)


def _worn_out(sweep: TuningSweep, seen: Observation) -> Ending | None:
    """The driver's container died too often: KubeRay, which counts only failed jobs, would start it for ever."""
    if not seen.head_restarts or seen.driver_failures <= sweep.spec.backoff_limit:
        return None
    cause = f" ({seen.head_death}; with OOMKilled ask for more memory)" if seen.head_death else ""
    message = f"the driver's container ended {seen.driver_failures} times{cause}, more than backoffLimit allows"
    return Ending(ConditionType.FAILED, ConditionReason.BACKOFF_LIMIT_EXCEEDED, message)


def _job_ending(seen: Observation) -> Ending | None:
    """How the RayJob ended without the driver's last word having been heard: of a sweep that failed, it fails then."""
    said = str(seen.job_status.get("message", ""))
    if seen.deployment == "ValidationFailed":
        return Ending(ConditionType.FAILED, ConditionReason.INVALID_SPEC, f"KubeRay refuses the RayJob: {said}")
    if seen.deployment == "Failed":
        message = f"the driver failed {seen.job_failures} times, more than backoffLimit allows: {said}"
        return Ending(ConditionType.FAILED, ConditionReason.BACKOFF_LIMIT_EXCEEDED, message)
    if seen.deployment == "Complete" and seen.job_status.get("jobStatus") == "SUCCEEDED":
        message = (
            "the driver ended and could not tell; counts are the last ones heard, trials.jsonl in the storage has all"
        )
        return Ending(ConditionType.COMPLETE, ConditionReason.SEARCH_FINISHED, message)
    if seen.deployment == "Complete":
        return Ending(
            ConditionType.FAILED, ConditionReason.DRIVER_FAILED, f"the driver ended without its result: {said}"
        )
    return None


def finish(conditions: Conditions, ending: Ending) -> None:
    """Set what a sweep that has ended says, and take out what it says no more."""
    conditions.set(ending.kind, "True", ending.reason, ending.message)
    conditions.set(ConditionType.RECONCILING, "False", ending.reason, "it has ended")
    conditions.clear(ConditionType.STALLED)
    conditions.clear(ConditionType.SUSPENDED)


def _suspend(conditions: Conditions, seen: Observation) -> None:
    freed = seen.ray_job is None or seen.deployment in ("Suspended", "") or not seen.pods
    message = "the cluster is freed; set spec.suspend to false to go on" if freed else "the cluster is being freed"
    conditions.set(ConditionType.SUSPENDED, "True", ConditionReason.SUSPEND_REQUESTED, message)
    conditions.set(ConditionType.RECONCILING, "False", ConditionReason.SUSPEND_REQUESTED, message)


def _wait_in_queue(conditions: Conditions, seen: Observation) -> None:
    wait = reason_to_wait(seen)
    conditions.set(ConditionType.SUSPENDED, "True", wait.reason, wait.message)
    conditions.set(ConditionType.RECONCILING, "False", wait.reason, "it starts once its queue admits it")


def _hold_back(conditions: Conditions, hold: Hold) -> None:
    conditions.set(ConditionType.SUSPENDED, "True", ConditionReason.WAITING_FOR_CAPACITY, hold.message)
    words = "it starts by itself once a node has room for it"
    conditions.set(ConditionType.RECONCILING, "False", ConditionReason.WAITING_FOR_CAPACITY, words)


def _note_trouble(conditions: Conditions, trouble: Trouble | None) -> None:
    if trouble is None:
        conditions.clear(ConditionType.STALLED)
    else:
        conditions.set(ConditionType.STALLED, "True", trouble.reason, trouble.message)


def _is_late(conditions: Conditions, seen: Observation, settings: Settings) -> bool:
    """Whether the driver of trials that run has not answered just now, which says nothing of them."""
    silent = seen.state is None and seen.deployment == "Running"
    runs = conditions.reason(ConditionType.RECONCILING) is ConditionReason.TRIALS_RUNNING
    return silent and runs and seen.driver_silence <= settings.driver_silence_seconds


def _go_on(conditions: Conditions, seen: Observation) -> None:
    if seen.state is not None and seen.state.trials.total > seen.state.trials.pending:
        message = "trials run; the sweep is done when it is Complete or Failed"
        conditions.set(ConditionType.RECONCILING, "False", ConditionReason.TRIALS_RUNNING, message)
    elif seen.state is not None or seen.deployment == "Running":
        message = "the cluster is up; the driver is loading data and starting trials"
        conditions.set(ConditionType.RECONCILING, "True", ConditionReason.WAITING_FOR_DRIVER, message)
    else:
        message = "KubeRay makes the Ray cluster"
        conditions.set(ConditionType.RECONCILING, "True", ConditionReason.CREATING_CLUSTER, message)


def _phase(conditions: Conditions, *, runs: bool) -> Phase:
    for kind, phase in (
        (ConditionType.COMPLETE, Phase.COMPLETE),
        (ConditionType.FAILED, Phase.FAILED),
        (ConditionType.SUSPENDED, Phase.SUSPENDED),
    ):
        if conditions.holds(kind):
            return Phase.QUEUED if conditions.reason(kind) in QUEUE_REASONS else phase
    return Phase.RUNNING if runs else Phase.PENDING
