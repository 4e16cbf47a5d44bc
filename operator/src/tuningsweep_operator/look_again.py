"""When a sweep wants to be looked at again without an event: pure, used by the reconciler after every look."""

from datetime import datetime
from typing import Final

from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.status import TuningSweepStatus
from tuningsweep_operator.settings import Settings
from tuningsweep_operator.status.fold import deadline
from tuningsweep_operator.status.observation import Observation

TROUBLE_SECONDS: Final = 5.0
"""How soon a sweep with something in its way is looked at again; the longer nothing has changed, the later."""
REFUSED_SECONDS: Final = 20.0
"""How soon objects that the API server refused are tried again: no event tells that a quota or KubeRay is there."""
HELD_SECONDS: Final = 30.0
"""How soon the message of a sweep that is held back is brought up to date; that it may start it is told at once."""


def look_again(
    sweep: TuningSweep,
    status: TuningSweepStatus,
    seen: Observation,
    settings: Settings,
    now: datetime,
    *,
    since_change: float,
    listening: bool,
) -> float:
    """Seconds until then; `since_change` of the RayJob, `listening` if the driver's news make the sweep due."""
    runs = seen.deployment == "Running" and not sweep.spec.suspend
    if runs and not listening:
        return settings.poll_seconds
    due = deadline(sweep, status)
    resync = settings.resync_seconds
    latest = resync if due is None else min(resync, max(1.0, (due - now).total_seconds()))
    if seen.refusal is not None:
        return min(latest, REFUSED_SECONDS)
    if seen.hold is not None:
        return min(latest, HELD_SECONDS)
    settled = seen.deployment in ("Suspended", "") and (
        sweep.spec.suspend or (seen.is_queued and seen.workload is not None)
    )
    unheeded = seen.deployment == "" and since_change > 2 * settings.kuberay_silence_seconds  # and said to be
    if runs or settled or unheeded:
        return latest
    return min(latest, max(TROUBLE_SECONDS, since_change))
