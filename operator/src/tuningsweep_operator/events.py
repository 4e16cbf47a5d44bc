"""Events about stopped trials: one each, or one for many when they come at once. Pure but for the caller's posting.

Names are made from the sweep's uid and the number of the stop, so that a stop that is posted twice is one Event.
"""

from collections import Counter
from datetime import datetime
from typing import Final

from tuningsweep_api import names
from tuningsweep_api.messages import SweepState
from tuningsweep_api.outcomes import LIMIT_REASONS
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import StopRecord
from tuningsweep_operator.resources import Manifest
from tuningsweep_operator.status.conditions import timestamp
from tuningsweep_operator.status.text import quantity

SINGLE_EVENTS: Final = 5
"""More new stops than this at once are told in one Event."""
MESSAGE_LIMIT: Final = 1000


def stop_events(sweep: TuningSweep, state: SweepState, told: int, now: datetime) -> list[Manifest]:
    """Events for the stops with numbers above `told`."""
    fresh = [stop for stop in state.recent_stops if stop.sequence > told]
    if not fresh:
        return []
    if len(fresh) <= SINGLE_EVENTS and fresh[0].sequence == told + 1:
        return [_event(sweep, stop.sequence, _reason(stop), _sentence(stop), now) for stop in fresh]
    return [_event(sweep, state.stop_count, "TrialsStopped", _summary(fresh, state.stop_count - told), now)]


def _reason(stop: StopRecord) -> str:
    return stop.reason.value


def _sentence(stop: StopRecord) -> str:
    observed, limit = quantity(stop.reason, stop.observed), quantity(stop.reason, stop.limit)
    if stop.reason in LIMIT_REASONS:
        return f"{stop.trial} ended {stop.outcome}: {observed} is over the limit of {limit}"
    return f"{stop.trial} ended {stop.outcome}: {stop.message or stop.reason}"


def _summary(fresh: list[StopRecord], count: int) -> str:
    reasons = ", ".join(f"{number} {reason}" for reason, number in Counter(s.reason.value for s in fresh).most_common())
    listed = ", ".join(f"{stop.trial} ({stop.reason})" for stop in fresh)
    more = "" if count == len(fresh) else f", and {count - len(fresh)} before them"
    return f"{count} trials stopped ({reasons}): {listed}"[:MESSAGE_LIMIT] + more


def _event(sweep: TuningSweep, number: int, reason: str, message: str, now: datetime) -> Manifest:
    metadata = sweep.metadata
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{metadata.name}.{metadata.uid[:8]}.stop-{number}", "namespace": metadata.namespace},
        "involvedObject": {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "name": metadata.name,
            "namespace": metadata.namespace,
            "uid": metadata.uid,
        },
        "type": "Warning",
        "reason": reason,
        "message": message,
        "source": {"component": names.MANAGED_BY},
        "reportingComponent": names.MANAGED_BY,
        "firstTimestamp": timestamp(now),
        "lastTimestamp": timestamp(now),
        "count": 1,
    }
