"""Traces of trials: how memory, step time and objective went, for `tuningsweep why`, the report and MLflow.

A supervisor writes one file for each training process, traces/TRIAL/START.json. A trace is bounded whatever the
trial's duration: `TraceRecorder` halves its resolution when it is full, and keeps the last looks as they were.
"""

import logging
import re
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

from pydantic import ValidationError

from tuningsweep_api.model import Model
from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_api.spec.limits import Limits
from tuningsweep_api.trials import ParameterValue
from tuningsweep_trainer.results.store import Store, open_store

TRACES: Final = "traces"
POINTS_KEPT: Final = 256
"""Points over the whole trial, and as many reports."""
CLOSING_KEPT: Final = 100
"""Looks before the end that are kept as they were."""
FIRST_SPACING: Final = 0.1
"""Seconds between two points of a short trial."""

log = logging.getLogger(__name__)


class TracePoint(NamedTuple):
    """What one look saw, or the highest values of several looks."""

    seconds: float
    """Since the training process began."""
    memory: int
    """Bytes."""
    steps: int
    """Steps done by the trial."""
    mean_step_time: float | None
    """Seconds, over the window of the limits."""
    step_in_flight: float
    """Seconds since the running step began; 0 between steps."""
    cpu_percent: float
    step_seconds: float = 0.0
    """Wall time of all finished steps of the process: between two points it gives the step time of any span."""


class TracedReport(NamedTuple):
    """A report with the objective."""

    seconds: float
    step: int
    objective: float
    additional: dict[str, float] = {}
    """The objective's additionalMetricNames, as last reported or measured."""


class LimitsSince(Model):
    """The limits in force from a moment on."""

    seconds: float
    limits: Limits


class TrialTrace(Model):
    """One training process of a trial."""

    trial: str
    parameters: dict[str, ParameterValue] = {}
    start_time: str
    """RFC 3339."""
    duration_seconds: float
    points: list[TracePoint] = []
    """The whole time, oldest first, at a spacing that grows with the duration."""
    closing: list[TracePoint] = []
    """The last looks as they were, up to a hundred a second."""
    reports: list[TracedReport] = []
    limits: list[LimitsSince] = []
    outcome: Outcome | None = None
    """None where the trial went on in another process, or its scheduler ended it."""
    reason: Reason | None = None


class TraceRecorder:
    """Collects a trace; times are seconds since the training process began."""

    def __init__(self) -> None:
        self._points: list[TracePoint] = []
        self._closing: deque[TracePoint] = deque(maxlen=CLOSING_KEPT)
        self._reports: list[TracedReport] = []
        self._limits: list[LimitsSince] = []
        self._spacing = FIRST_SPACING
        self._every = 1
        self._reported = 0

    def look(self, point: TracePoint) -> None:
        """Take in a look; those nearer to the last point than the spacing are merged into it."""
        self._closing.append(point)
        if self._points and point.seconds - self._points[-1].seconds < self._spacing:
            self._points[-1] = _merged(self._points[-1], point)
            return
        self._points.append(point)
        if len(self._points) > POINTS_KEPT:
            self._points = [_merged(*pair) for pair in zip(self._points[::2], self._points[1::2], strict=False)]
            self._spacing *= 2

    def report(self, report: TracedReport) -> None:
        """Take in a report; long trials keep every second, fourth, ... of them and the last."""
        if self._reported % self._every == 0 or not self._reports:
            self._reports.append(report)
        else:
            self._reports[-1] = report
        self._reported += 1
        if len(self._reports) > POINTS_KEPT:
            self._reports = self._reports[1::2]
            self._every *= 2

    def limits(self, seconds: float, limits: Limits) -> None:
        """The limits that hold from now on."""
        if not self._limits or self._limits[-1].limits != limits:
            self._limits = [*self._limits, LimitsSince(seconds=seconds, limits=limits)][-POINTS_KEPT:]

    def trace(
        self,
        *,
        trial: str,
        parameters: dict[str, ParameterValue],
        start_time: str,
        duration: float,
        outcome: Outcome | None,
        reason: Reason | None,
    ) -> TrialTrace:
        """Everything so far as one value."""
        return TrialTrace(
            trial=trial,
            parameters=parameters,
            start_time=start_time,
            duration_seconds=round(duration, 4),
            points=[_rounded(point) for point in self._points],
            closing=[_rounded(point) for point in self._closing],
            reports=list(self._reports),
            limits=list(self._limits),
            outcome=outcome,
            reason=reason,
        )


def _merged(first: TracePoint, second: TracePoint) -> TracePoint:
    """One point for two: the time of the first, the highest of what a limit is about, the newest of the rest."""
    return TracePoint(
        first.seconds,
        max(first.memory, second.memory),
        second.steps,
        second.mean_step_time,
        max(first.step_in_flight, second.step_in_flight),
        second.cpu_percent,
        second.step_seconds,
    )


def _rounded(point: TracePoint) -> TracePoint:
    mean = None if point.mean_step_time is None else round(point.mean_step_time, 7)
    return TracePoint(
        round(point.seconds, 4),
        point.memory,
        point.steps,
        mean,
        round(point.step_in_flight, 5),
        round(point.cpu_percent, 1),
        round(point.step_seconds, 6),
    )


def write_trace(store: Store, trace: TrialTrace) -> None:
    """Keep a trace, named by its start so that a trial's training processes are told apart."""
    stamp = re.sub(r"[-:.]", "", trace.start_time)
    store.write(f"{TRACES}/{trace.trial}/{stamp}.json", trace.model_dump_json(by_alias=True).encode())


class TraceWriter:
    """Writes traces in a thread of its own: the next trial does not wait for the storage of the last one's."""

    def __init__(self, location: str) -> None:
        self._store = open_store(location)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="traces")

    def put(self, trace: TrialTrace) -> None:
        """Write it soon."""
        self._thread.submit(self._write, trace)

    def close(self) -> None:
        """Wait until everything is written."""
        self._thread.shutdown()

    def _write(self, trace: TrialTrace) -> None:
        try:
            write_trace(self._store, trace)
        except OSError:
            log.exception("the trace of a training process is lost", extra={"trial": trace.trial})


def traced_trials(store: Store) -> list[str]:
    """Trials that have a trace, by name."""
    return store.names(TRACES)


def read_traces(store: Store, trial: str) -> list[TrialTrace]:
    """The traces of a trial's training processes, oldest first; one that can't be read is passed over and logged."""
    found: list[TrialTrace] = []
    for name in store.names(f"{TRACES}/{trial}"):
        try:
            found.append(TrialTrace.read(store.read(f"{TRACES}/{trial}/{name}") or b""))
        except ValidationError:
            log.warning("%s/%s/%s can't be read and is passed over", TRACES, trial, name)
    return found
