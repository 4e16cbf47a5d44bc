"""The listener between driver and MLflow: puts events in a queue and returns at once; a thread sends them.

A server that is slow, down or refuses costs a trial nothing: what can't be sent is kept in `mlflow-unsent.jsonl` beside
the results and is sent first the next time the sweep runs.
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
ATTEMPTS: Final = 5
FIRST_WAIT: Final = 1.0
END_SECONDS: Final = 30.0
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
        self._queue: queue.Queue[TrackingEvent | None] = queue.Queue(QUEUE_SIZE)
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
        self._queue.put(None)
        self.join(END_SECONDS)
        if self.is_alive():
            log.warning(
                "tracking has not caught up within %g s; what is left goes to %s", END_SECONDS, self._spool.path
            )
            self._spool.put(self._drain())

    def run(self) -> None:
        """Send until the sweep has ended."""
        pending = self._spool.take()
        over = False
        while not over:
            gathered, over = self._gather()
            pending = self._try_to_send(pending + gathered)
        while pending and self._failures < ATTEMPTS:
            pending = self._try_to_send(pending)
        self._spool.put(pending)

    def _put(self, event: TrackingEvent) -> None:
        try:
            self._queue.put_nowait(event)
        except queue.Full:
            self._spool.put([event])

    def _gather(self) -> tuple[list[TrackingEvent], bool]:
        """Events of about GATHER_SECONDS, and whether these are the last ones."""
        gathered: list[TrackingEvent] = []
        deadline = time.monotonic() + GATHER_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            try:
                event = self._queue.get(timeout=left)
            except queue.Empty:
                break
            if event is None:
                return gathered, True
            gathered.append(event)
        return gathered, False

    def _drain(self) -> list[TrackingEvent]:
        drained: list[TrackingEvent] = []
        while not self._queue.empty():
            event = self._queue.get_nowait()
            if event is not None:
                drained.append(event)
        return drained

    def _try_to_send(self, events: list[TrackingEvent]) -> list[TrackingEvent]:
        """What could not be sent. After ATTEMPTS failures in a row the server is left alone until the next run."""
        if not events:
            return events
        if self._failures >= ATTEMPTS:
            self._spool.put(events)
            return []
        try:
            self._sink = self._sink or self._connect()
            self._sink.send(events)
        except Exception as error:  # noqa: BLE001 - backends raise anything; it is logged, the events are kept
            self._failures += 1
            log.warning("MLflow attempt %d of %d failed: %s", self._failures, ATTEMPTS, str(error)[:500])
            time.sleep(FIRST_WAIT * 2 ** (self._failures - 1))
            return events
        self._failures = 0
        return []
