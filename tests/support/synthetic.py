"""Synthetic states of trials, a sweep and the operator, served by the real collectors: for tests of metrics and panels."""

from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry

from tuningsweep_api.outcomes import LIMIT_REASONS, ConditionReason, Outcome, Phase, Reason
from tuningsweep_operator import metrics
from tuningsweep_operator.state_metrics import StateCollector
from tuningsweep_operator.store import Store
from tuningsweep_operator.work_queue import WorkQueue
from tuningsweep_trainer.node.exporter import TrialCollector
from tuningsweep_trainer.node.runtime import TrialStatus
from tuningsweep_trainer.node.step_times import StepTimes, StepTimeTally
from tuningsweep_trainer.node.summary import EndedTrials, SweepSummary

MIB = 1 << 20


def status(number: int, turn: int = 0, **fields: object) -> TrialStatus:
    """The status of a running trial with everything set; its numbers move with `turn`."""
    common: dict[str, object] = {
        "trial": f"trial-{number:04d}",
        "process": f"p-{number}",
        "supervisor_pid": number + 1,
        "pid": number + 1,
        "memory": (200 + 42 * (number % 5)) * MIB,
        "memory_limit": 400 * MIB,
        "steps": 100 + 10 * turn,
        "mean_step_time": 0.02 + 0.01 * (number % 3),
        "mean_step_time_limit": 0.05,
        "step_in_flight": 0.01,
        "longest_step": 0.3,
        "step_time_limit": 2.0,
        "duration": 60.0 + turn,
        "duration_limit": 600.0,
        "cpu_percent": 95.0,
        "objective": 1.0 / (1 + number + turn),
    }
    return TrialStatus.model_validate({**common, **fields})


def ended(per_reason: int) -> list[EndedTrials]:
    """Some ended trials for every reason there is."""
    outcomes = {
        Reason.COMPLETED: Outcome.SUCCEEDED,
        Reason.PRUNED_BY_SCHEDULER: Outcome.PRUNED,
        **dict.fromkeys(LIMIT_REASONS, Outcome.LIMIT_EXCEEDED),
        **dict.fromkeys((Reason.STOP_REQUESTED, Reason.SWEEP_ENDED, Reason.SWEEP_DEADLINE_EXCEEDED), Outcome.STOPPED),
    }
    return [
        EndedTrials(
            outcome=outcomes.get(reason, Outcome.FAILED),
            reason=reason,
            count=per_reason,
            cpu_seconds=per_reason * (60.0 if reason is Reason.COMPLETED else 20.0),
        )
        for reason in Reason
    ]


def summary(per_reason: int = 3) -> SweepSummary:
    """A sweep in its midst."""
    return SweepSummary(ended=ended(per_reason), pending=4, running=8, warnings=2, best_objective=0.125)


def step_times(turn: int = 0) -> StepTimes:
    """Step times that grow with `turn`."""
    tally = StepTimeTally(StepTimes())
    tally.take(100 + 50 * turn, 2.0 + turn)
    return tally.total()


def trainer_registry(
    statuses: list[TrialStatus], sweep_summary: SweepSummary | None, times: Callable[[], StepTimes] = step_times
) -> CollectorRegistry:
    """A registry with the real exporter over these states, as the node agent makes it."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(TrialCollector("team-a", "digits", lambda: statuses, times, lambda: sweep_summary))
    return registry


def sweep_object(name: str, phase: str, stalled: str | None = None) -> dict[str, Any]:
    """A sweep as the operator's watch shows it."""
    conditions = [] if stalled is None else [{"type": "Stalled", "status": "True", "reason": stalled}]
    metadata = {"namespace": "team-a", "name": name, "resourceVersion": "1"}
    return {"metadata": metadata, "status": {"phase": phase, "conditions": conditions}}


def operator_registry() -> CollectorRegistry:
    """The operator's own registry: what it counts, and the state of a store with some sweeps in it."""
    store = Store()
    for phase in Phase:
        store.put_sweep(sweep_object(phase.lower(), phase))
    store.put_sweep(sweep_object("stuck", Phase.PENDING, ConditionReason.QUOTA_EXCEEDED))
    registry = CollectorRegistry()
    registry.register(StateCollector(store, WorkQueue(_no_work, 1, _leading), _leading))
    for metric in (
        metrics.RECONCILE_SECONDS,
        metrics.RECONCILE_ERRORS,
        metrics.LAST_RECONCILE,
        metrics.LAST_WATCH_EVENT,
        metrics.LEADING,
        metrics.STATUS_WRITES,
        metrics.STOPS,
        metrics.POLL_SECONDS,
        metrics.POLL_ERRORS,
    ):
        registry.register(metric)
    return registry


def work_of_operator() -> None:
    """What the operator counts in a moment of work."""
    metrics.RECONCILE_SECONDS.observe(0.02)
    metrics.RECONCILE_ERRORS.inc()
    metrics.LAST_RECONCILE.set_to_current_time()
    for resource in ("tuningsweeps", "rayjobs", "pods"):
        metrics.LAST_WATCH_EVENT.labels(resource).set_to_current_time()
    metrics.STATUS_WRITES.inc()
    metrics.STOPS.labels(Outcome.LIMIT_EXCEEDED, Reason.MEMORY_LIMIT_EXCEEDED).inc()
    metrics.POLL_SECONDS.observe(0.01)
    metrics.POLL_ERRORS.inc()


async def _no_work(_: tuple[str, str]) -> None:
    return None


def _leading() -> float:
    return 8.0
