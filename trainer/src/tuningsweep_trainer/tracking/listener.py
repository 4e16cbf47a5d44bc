"""The listener between driver and MLflow: puts events in a queue and returns at once; a thread sends them.

A server that is slow, down or refuses costs a trial nothing: it is tried again ever more rarely, and what has not been
sent at the end is kept in `mlflow-unsent.jsonl` beside the results and is sent first the next time the sweep runs.
"""

import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tuningsweep_api.messages import SweepState
from tuningsweep_api.outcomes import Outcome
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import Metrics, ParameterValue, TrialRecord
from tuningsweep_trainer.driver.listeners import TrialListener
from tuningsweep_trainer.tracking.events import Spool, TrackingEvent
from tuningsweep_trainer.tracking.mlflow_sink import MlflowSink

SPOOL_FILE: Final = "mlflow-unsent.jsonl"
QUEUE_SIZE: Final = 20_000
GATHER_SECONDS: Final = 1.0
"""Events of this long go out together."""
FIRST_WAIT: Final = 1.0
"""Pause after a failure; twice as long after each further one."""
LONGEST_WAIT: Final = 60.0
LAST_ATTEMPTS: Final = 3
"""Attempts once the sweep has ended."""
END_SECONDS: Final = 20.0
"""How long the end of a sweep waits for the last events to be sent."""

log = logging.getLogger(__name__)


def make_listeners(sweep: TuningSweep, results: str) -> list[TrialListener]:
    """The tracking listener of a sweep, started; none if tracking is off or has no place to write to."""
    tracking = sweep.spec.tracking
    if not tracking.enabled:
        return []
    uri = tracking.mlflow.tracking_uri
    if "://" in results:
        if uri is None:
            log.warning("tracking is left out: results in object storage need tracking.mlflow.trackingUri")
            return []
        spool = Path(os.environ.get("TMPDIR", "/tmp")) / f"{sweep.metadata.name}-{SPOOL_FILE}"  # noqa: S108 - no secrets in it
    else:
        Path(results).mkdir(parents=True, exist_ok=True)
        spool = Path(results) / SPOOL_FILE
    artifacts = None if uri is not None else f"file://{results}/mlartifacts"
    target = uri or f"sqlite:///{results}/mlflow.db"
    # The client's own retries would go on for minutes.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    listener = MlflowListener(lambda: MlflowSink(sweep, target, artifacts), Spool(spool))
    listener.start()
    return [listener]


class MlflowListener(threading.Thread):
    """Told of trials by the driver; its thread makes the sink and sends to it."""

    def __init__(self, connect: Callable[[], MlflowSink], spool: Spool) -> None:
        super().__init__(name="mlflow", daemon=True)
        self._connect, self._spool = connect, spool
        self._queue: queue.Queue[TrackingEvent] = queue.Queue(QUEUE_SIZE)
        self._over = threading.Event()
        self._pending: list[TrackingEvent] = []  # replaced, never changed: sweep_ended reads it from another thread
        self._sink: MlflowSink | None = None
        self._failures = 0

    def trial_started(self, name: str, parameters: dict[str, ParameterValue]) -> None:
        """A child run with its parameters."""
        values = {key: str(value) for key, value in parameters.items()}
        self._put(TrackingEvent.now("started", trial=name, values=values))

    def trial_reported(self, name: str, metrics: Metrics, step: int) -> None:
        """Metrics at a step."""
        self._put(TrackingEvent.now("reported", trial=name, metrics=metrics, step=step))

    def trial_ended(self, record: TrialRecord) -> None:
        """Outcome, reason and what was observed as tags; the run's end."""
        fields: dict[str, object] = {
            "outcome": record.outcome,
            "reason": record.reason,
            "message": record.message,
            "observed": record.observed,
            "limit": record.limit,
            "peak_memory_bytes": record.peak_memory,
        }
        values = {f"tuningsweep.{key}": str(value) for key, value in fields.items() if value not in (None, "")}
        failed = record.outcome is Outcome.FAILED
        self._put(TrackingEvent.now("ended", trial=record.trial, values=values, failed=failed))

    def sweep_ended(self, state: SweepState) -> None:
        """The parent run's end; waits a bounded time for everything to be sent."""
        if state.result is not None:
            values = {"tuningsweep.reason": str(state.result.reason), "tuningsweep.message": state.result.message}
            self._put(TrackingEvent.now("sweep", values=values, failed=not state.result.succeeded))
        self._over.set()
        self.join(END_SECONDS)
        if self.is_alive():
            log.warning("tracking has not caught up within %g s; the rest is kept in %s", END_SECONDS, self._spool.path)
            self._spool.put(self._pending + self._drain())

    def run(self) -> None:
        """Send until the sweep has ended."""
        self._pending = self._spool.take()
        next_attempt = 0.0
        while not (self._over.is_set() and self._queue.empty()):
            self._pending = self._bounded(self._pending + self._gather())
            if self._pending and time.monotonic() >= next_attempt:
                self._try_to_send()
                next_attempt = time.monotonic() + self._wait()
        for attempt in range(LAST_ATTEMPTS):
            if self._pending:
                time.sleep(FIRST_WAIT * attempt)
                self._try_to_send()
        self._spool.put(self._pending)
        self._spool.sent()

    def _put(self, event: TrackingEvent) -> None:
        try:
            self._queue.put_nowait(event)
        except queue.Full:
            self._spool.put([event])

    def _wait(self) -> float:
        """Seconds to leave the server alone after so many failures in a row."""
        return min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(self._failures - 1, 10)) if self._failures else 0.0

    def _gather(self) -> list[TrackingEvent]:
        """Events of about GATHER_SECONDS; sooner when the sweep has ended."""
        gathered: list[TrackingEvent] = []
        deadline = time.monotonic() + GATHER_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            try:
                gathered.append(self._queue.get(timeout=min(left, 0.2)))
            except queue.Empty:
                if self._over.is_set():
                    break
        return gathered

    def _drain(self) -> list[TrackingEvent]:
        drained: list[TrackingEvent] = []
        while not self._queue.empty():
            drained.append(self._queue.get_nowait())
        return drained

    def _bounded(self, events: list[TrackingEvent]) -> list[TrackingEvent]:
        """The newest QUEUE_SIZE events; older ones wait in the spool while the server is away."""
        self._spool.put(events[:-QUEUE_SIZE])
        return events[-QUEUE_SIZE:]

    def _try_to_send(self) -> None:
        try:
            self._sink = self._sink or self._connect()
            self._sink.send(self._pending)
        except Exception as error:  # noqa: BLE001 - backends raise anything; it is logged, the events are kept
            self._failures += 1
            log.warning("MLflow can't be told, failure %d in a row: %s", self._failures, str(error)[:500])
            return
        self._failures = 0
        self._spool.sent()
        self._pending = self._spool.take()
