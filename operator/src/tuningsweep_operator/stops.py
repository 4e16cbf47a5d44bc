"""Tells of stopped trials: an Event for people and GitOps, a line in the log, a count in the metrics."""

import logging
from datetime import datetime

from tuningsweep_api.messages import SweepState
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_operator import metrics
from tuningsweep_operator.events import stop_events
from tuningsweep_operator.kube import Kube, KubeError
from tuningsweep_operator.resources import EVENTS

log = logging.getLogger(__name__)


async def tell_stops(kube: Kube, sweep: TuningSweep, state: SweepState, told: int, now: datetime) -> None:
    """Tell of the stops with numbers above `told`; what isn't a refusal of an Event raises KubeError.

    Called before the status counts them, so that none is lost; the Events' names keep them from being doubled.
    """
    extra = {"sweep": sweep.metadata.name, "namespace": sweep.metadata.namespace}
    for event in stop_events(sweep, state, told, now):
        try:
            await kube.create(EVENTS, event)
        except KubeError as error:
            if not 400 <= error.status < 500:
                raise
            log.warning("the API server refuses an Event, the status tells of the stop: %s", error, extra=extra)
    for stop in state.recent_stops:
        if stop.sequence > told:
            metrics.STOPS.labels(stop.outcome, stop.reason).inc()
            of_trial = {**extra, "trial": stop.trial}
            log.info("%s ended %s: %s", stop.trial, stop.outcome, stop.reason, extra=of_trial)
