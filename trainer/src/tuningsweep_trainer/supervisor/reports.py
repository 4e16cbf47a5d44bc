"""What a training process says of itself: its reports, for the supervisor, and its own word on how it ended."""

import logging
import queue
import time
from dataclasses import dataclass

from tuningsweep_trainer.supervisor import ending as endings
from tuningsweep_trainer.supervisor.ending import Ending
from tuningsweep_trainer.supervisor.launcher import Launched
from tuningsweep_trainer.supervisor.measuring import PEAK_MEMORY, Measurements
from tuningsweep_trainer.training.job import TrainingJob
from tuningsweep_trainer.training.wire import Message, MessageReader, WireError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Report:
    """A report with the objective, or with a checkpoint, and what was measured at the time."""

    metrics: dict[str, float]
    """The last value of every metric reported so far, and the measured ones."""
    step: int
    checkpoint: int | None
    decisive: bool = True
    """Whether it has the objective, so that Tune shall see it."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The training process is gone. Without an ending its trial goes on elsewhere or was given up by the scheduler."""

    ending: Ending | None


class ReportTaker:
    """Takes the messages of one training process: reports go to the measurements and to the events."""

    def __init__(
        self,
        launched: Launched,
        job: TrainingJob,
        measurements: Measurements,
        events: "queue.SimpleQueue[Report | Ended]",
    ) -> None:
        self._reader = MessageReader(launched.reports)
        self._job, self._measurements, self._events = job, measurements, events
        self.said: Ending | None = None
        """How the training process says that it ended; believed once it is gone."""

    @property
    def closed(self) -> bool:
        """Whether nothing more can come."""
        return self._reader.closed

    def take(self) -> Ending | None:
        """Take what has come; an ending if it is nonsense."""
        try:
            for message in self._reader.read():
                self._take(message)
        except WireError as error:
            return endings.raised(f"the training process sent nonsense: {error}")
        return None

    def _take(self, message: Message) -> None:
        if message["kind"] == "report":
            self._take_report(message)
        elif message["kind"] == "finished":
            self._take_finish(message)
        elif message["kind"] == "failed":
            self.said = endings.raised(message["message"])
            extra = {"trial": self._job.trial, "traceback": message["traceback"]}
            log.error("the trainable raised: %s", message["message"], extra=extra)

    def _take_report(self, message: Message) -> None:
        step, decisive, checkpoint = int(message["step"]), bool(message["decisive"]), message["checkpoint"]
        metrics = self._measurements.totals.metrics
        metrics.update(message["metrics"])
        self._measurements.reports += 1
        if decisive:
            objective = message["metrics"].get(self._job.objective)
            self._measurements.report(time.monotonic(), step, int(message["memory"]), objective)
        if decisive or checkpoint is not None:
            self._events.put(Report(dict(metrics), step, checkpoint, decisive))

    def _take_finish(self, message: Message) -> None:
        metrics = self._measurements.totals.metrics
        if self._job.checkpoint is not None and PEAK_MEMORY not in metrics:
            # It was interrupted after its last report, and goes on from there: its end is the one chance to measure.
            self._measurements.report(time.monotonic(), self._job.base_step, int(message["memory"]), None)
        reported = set(metrics)
        missing = self._job.missing_objective(reported)
        self.said = endings.finished() if missing is None else endings.metric_missing(missing, reported)
