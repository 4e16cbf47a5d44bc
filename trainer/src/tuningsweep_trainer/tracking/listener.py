"""The listener between driver and MLflow: takes an event and returns at once.

Two others do the rest. The recorder, a thread, writes the events of a second to the spool in the results; the delivery, a
process, sends what the spool has, oldest first. A server that is slow, down or refuses costs a trial nothing: the delivery
waits ever longer and tries again, and what it has not sent by the end of the sweep is sent by the next driver, or by
`tuningsweep track RESULTS`.
"""

import logging
import queue
import threading
import time
from collections.abc import Sequence
from typing import Final

from tuningsweep_api.messages import SweepState
from tuningsweep_api.optimal import TRAINED
from tuningsweep_api.spec.objective import Objective
from tuningsweep_api.trials import Metrics, ParameterValue, TrialRecord
from tuningsweep_trainer.tracking import losses, translate
from tuningsweep_trainer.tracking.events import TrackingEvent
from tuningsweep_trainer.tracking.sender import Delivery
from tuningsweep_trainer.tracking.spool import FOLDER, Spool

QUEUE_SIZE: Final = 20_000
"""Events in memory, past which points of curves are left out; only a disk that can't be written gets it that far."""
FILE_EVENTS: Final = 2_000
"""Events of one file of the spool, at most."""
GATHER_SECONDS: Final = 1.0
"""Events of this long go out together."""
BACKLOG_GATHER_SECONDS: Final = 30.0
"""The same while the server is away, so that the files stay few."""
BACKLOG_FILES: Final = 20
"""Files of the spool that mean that the server is away or slow."""
RECORD_SECONDS: Final = 30.0
"""How long the end of a sweep waits for a disk that hangs."""
RETOLD: Final = 200
"""Ended trials that a restarted driver tells again, newest first: a killed one had not recorded its last second."""

log = logging.getLogger(__name__)


class MlflowListener(threading.Thread):
    """Told of trials by the driver; the thread is the recorder."""

    def __init__(
        self,
        delivery: Delivery,
        spool: Spool,
        objective: Objective,
        *,
        losses_in_logs: bool = False,
        history: Sequence[TrialRecord] = (),
    ) -> None:
        super().__init__(name="mlflow-recorder", daemon=True)
        self._spool, self._objective, self._losses_in_logs = spool, objective, losses_in_logs
        self._delivery = delivery
        self._queue: queue.SimpleQueue[TrackingEvent] = queue.SimpleQueue()
        self._over = threading.Event()
        self._held: list[TrackingEvent] = []
        self._disk_failed = False
        self._ended_trials = 0
        self._best: float | None = None
        self._dataset_told = False
        for record in history:
            self._take_best(record)
        for record in history[-RETOLD:]:
            self._put(translate.trial_ended(record))

    def start(self) -> None:
        """Start recorder and delivery."""
        self._delivery.start()
        super().start()

    def trial_started(self, name: str, parameters: dict[str, ParameterValue]) -> None:
        """A child run with its parameters."""
        self._put(TrackingEvent.now("started", trial=name, parameters=translate.texts(parameters)))

    def trial_reported(self, name: str, metrics: Metrics, step: int) -> None:
        """Metrics at a step."""
        names = [each.objective_metric_name for each in self._objective.objectives]
        named = translate.reported_metrics(metrics, names)
        self._put(TrackingEvent.now("reported", trial=name, metrics=named, step=step))
        if not self._dataset_told:  # it is prepared by the time that a trial reports
            self._dataset_told = True
            self._put(TrackingEvent.now("dataset"))

    def trial_ended(self, record: TrialRecord) -> None:
        """Outcome, reason and what was observed as tags; the run's end; the parent's best objective so far."""
        if self._losses_in_logs:
            points = losses.points_of(record.duration_seconds)
            self._put(TrackingEvent.now("losses", trial=record.trial, step=points))
        self._put(translate.trial_ended(record))
        best = self._take_best(record)
        if best is not None:
            self._put(TrackingEvent.now("reported", metrics={"best_objective": best}, step=self._ended_trials))

    def sweep_ended(self, state: SweepState) -> None:
        """The best model and the parent run's end; waits a bounded time for everything to be sent."""
        if state.result is not None:
            if state.optimal_trial is not None:
                best = state.optimal_trial
                parameters = translate.texts(best.parameters)
                self._put(TrackingEvent.now("best", trial=best.trial, parameters=parameters))
            self._put(translate.sweep_ended(state))
        self._over.set()
        self.join(RECORD_SECONDS)
        self._delivery.finish()
        if self._spool.files:
            log.warning(
                "not everything could be sent to MLflow; %d files are kept in %s of the results, and are sent by"
                " `tuningsweep track RESULTS` or when the sweep goes on",
                self._spool.files,
                FOLDER,
            )

    def run(self) -> None:
        """Write to the spool until the sweep has ended."""
        while not self._over.is_set():
            self._record(self._gather())
        self._record(self._drain())

    def _take_best(self, record: TrialRecord) -> float | None:
        """The objective of an ended trial if it is the best so far."""
        self._ended_trials += 1
        value = record.metrics.get(self._objective.objective_metric_name)
        if value is None or record.outcome not in TRAINED:
            return None
        sign = self._objective.sign
        if self._best is not None and sign * value >= sign * self._best:
            return None
        self._best = value
        return value

    def _put(self, event: TrackingEvent) -> None:
        if not event.can_be_missed or self._queue.qsize() < QUEUE_SIZE:
            self._queue.put(event)

    def _gather(self) -> list[TrackingEvent]:
        """Events of about GATHER_SECONDS; sooner when there are many or the sweep has ended."""
        gathered: list[TrackingEvent] = []
        backlog = self._spool.files > BACKLOG_FILES
        deadline = time.monotonic() + (BACKLOG_GATHER_SECONDS if backlog else GATHER_SECONDS)
        while (left := deadline - time.monotonic()) > 0 and len(gathered) < FILE_EVENTS and not self._over.is_set():
            try:
                gathered.append(self._queue.get(timeout=min(left, 0.2)))
            except queue.Empty:
                continue
        return gathered

    def _drain(self) -> list[TrackingEvent]:
        drained: list[TrackingEvent] = []
        while not self._queue.empty():
            drained.append(self._queue.get())
        return drained

    def _record(self, events: list[TrackingEvent]) -> None:
        """Put events in the spool; those it can't take are held in memory for the next time, points of curves left out."""
        self._held += events
        try:
            for start in range(0, len(self._held), FILE_EVENTS):
                self._spool.put(self._held[start : start + FILE_EVENTS])
        except OSError as error:
            if not self._disk_failed:
                log.warning("events for MLflow can't be written to the results, they are held in memory: %s", error)
            self._disk_failed = True
            if len(self._held) > QUEUE_SIZE:
                self._held = [event for event in self._held if not event.can_be_missed]
            return
        self._held, self._disk_failed = [], False
        self._delivery.wake()
