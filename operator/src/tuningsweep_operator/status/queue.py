"""Why a sweep waits in its queue, from what Kueue says of its Workload. Called by the fold and the checks for trouble."""

from typing import Any, Final

from tuningsweep_api.names import LABEL_QUEUE
from tuningsweep_api.outcomes import ConditionReason
from tuningsweep_operator.status.observation import Observation, Trouble

QUEUE_REASONS: Final = frozenset(
    {ConditionReason.QUEUED, ConditionReason.PREEMPTED, ConditionReason.WAITING_FOR_CAPACITY}
)
"""Reasons of a sweep that is suspended until its turn comes, by Kueue or by the operator."""


def workload_condition(seen: Observation, kind: str) -> dict[str, Any]:
    """A condition of the Workload; empty where there is none."""
    conditions = (seen.workload or {}).get("status", {}).get("conditions", [])
    return next((condition for condition in conditions if condition["type"] == kind), {})


def reason_to_wait(seen: Observation) -> Trouble:
    """Queued before the first admission or for want of quota, Preempted after another workload took it."""
    evicted, quota = workload_condition(seen, "Evicted"), workload_condition(seen, "QuotaReserved")
    words = quota.get("message") or evicted.get("message") or "Kueue has not taken it up yet"
    if evicted.get("status") == "True" and evicted.get("reason") == "Preempted":
        message = (
            f"another workload took its quota; what has ended is kept, the rest goes on once quota is free: {words}"
        )
        return Trouble(ConditionReason.PREEMPTED, message)
    queue = "" if seen.ray_job is None else seen.ray_job["metadata"]["labels"][LABEL_QUEUE]
    return Trouble(ConditionReason.QUEUED, f"it waits in queue {queue}: {words}")
