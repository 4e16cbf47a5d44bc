"""Where a sweep's driver is and what it is told: pure, used by the reconciler while a sweep runs and once it has ended."""

from datetime import datetime

from tuningsweep_api.messages import DesiredState, desired_state
from tuningsweep_api.names import CONTROL_PORT
from tuningsweep_api.outcomes import Reason
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.status import TuningSweepStatus
from tuningsweep_operator.status.fold import deadline
from tuningsweep_operator.status.observation import Observation


def driver_address(sweep: TuningSweep, facts: Observation) -> str:
    """Host and port of the control API: the head service that KubeRay made."""
    cluster = facts.job_status["rayClusterName"]
    head = facts.job_status.get("rayClusterStatus", {}).get("head", {})
    service = head.get("serviceName") or f"{cluster}-head-svc"
    return f"{service}.{sweep.metadata.namespace}.svc:{CONTROL_PORT}"


def wanted_of_driver(
    sweep: TuningSweep, status: TuningSweepStatus, now: datetime, *, acknowledged: bool = False
) -> DesiredState:
    """What the driver should do now: the spec, stop requests, and the end of the sweep once its deadline went by."""
    due = deadline(sweep, status)
    end = Reason.SWEEP_DEADLINE_EXCEEDED if due is not None and now >= due else None
    return desired_state(sweep, end, acknowledged=acknowledged)
