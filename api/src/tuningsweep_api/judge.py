"""The limit policy: one pure function from limits, recent samples and the clock to a verdict.

The supervisor calls `judge` after every sample of its training process; nothing here does I/O or reads a clock.
Times are seconds of one monotonic clock, memory is bytes.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from tuningsweep_api.outcomes import Reason
from tuningsweep_api.spec.limits import Limits

MEMORY_SAMPLES: Final = 2
"""Consecutive samples that must all be over the memory limit, so that one odd reading never stops a trial."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at a training process."""

    time: float
    memory: int
    """Memory of the process and its children, bytes."""
    steps: int = 0
    """Steps finished."""
    step_seconds: float = 0.0
    """Wall time of all finished steps together."""
    longest_step: float = 0.0
    """Wall time of the longest finished step."""
    step_started: float | None = None
    """When the step in flight began; None between steps."""
    gpu_memory: int | None = None
    """Memory of GPUs that the processes hold, bytes; None where nobody asked for it."""

    def in_flight(self, now: float) -> float:
        """Seconds the step in flight has taken so far; 0 between steps."""
        return 0.0 if self.step_started is None else max(0.0, now - self.step_started)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A limit that was exceeded: reason, observed value and limit in the same unit (bytes or seconds)."""

    reason: Reason
    observed: float
    limit: float


@dataclass(slots=True)
class SampleWindow:
    """The samples `judge` may need: the newest for memory, one for each recent step count for mean step time."""

    started: float
    """When the training process began."""
    warmup_steps: int
    window_steps: int
    _recent: deque[Sample] = field(default_factory=lambda: deque(maxlen=MEMORY_SAMPLES))
    _by_steps: deque[Sample] = field(default_factory=deque)

    def add(self, sample: Sample) -> None:
        """Take in the newest sample and forget what no limit needs any more."""
        self._recent.append(sample)
        if sample.steps < self.warmup_steps:
            return
        if not self._by_steps or sample.steps > self._by_steps[-1].steps:
            self._by_steps.append(sample)
        while len(self._by_steps) > 1 and self._by_steps[1].steps <= sample.steps - self.window_steps:
            self._by_steps.popleft()

    def resize(self, warmup_steps: int, window_steps: int) -> None:
        """Follow edited limits; older samples than are kept cannot come back, so a wider window fills up again.

        Samples that a longer warm-up leaves out are forgotten: nothing is judged by them any more.
        """
        self.warmup_steps, self.window_steps = warmup_steps, window_steps
        while self._by_steps and self._by_steps[0].steps < warmup_steps:
            self._by_steps.popleft()

    @property
    def newest(self) -> Sample | None:
        """The last sample, if there is one."""
        return self._recent[-1] if self._recent else None

    def recent(self) -> Iterator[Sample]:
        """The last MEMORY_SAMPLES samples, oldest first."""
        return iter(self._recent)

    @property
    def full(self) -> bool:
        """Whether enough samples for a memory verdict are there."""
        return len(self._recent) == MEMORY_SAMPLES

    def anchor(self) -> Sample | None:
        """The oldest kept sample past the warm-up: mean step time is counted from it."""
        return self._by_steps[0] if self._by_steps else None


def mean_step_time(window: SampleWindow, now: float) -> float | None:
    """Mean step time in seconds over the window; None until windowSteps steps past the warm-up are (nearly) done.

    A step in flight counts as soon as its elapsed time alone pushes the mean up, because the mean can then only grow.
    """
    first, last = window.anchor(), window.newest
    if first is None or last is None:
        return None
    steps, seconds = last.steps - first.steps, last.step_seconds - first.step_seconds
    finished = seconds / steps if steps >= window.window_steps else None
    in_flight = last.in_flight(now)
    if steps + 1 < window.window_steps or in_flight == 0.0:
        return finished
    with_flight = (seconds + in_flight) / (steps + 1)
    return with_flight if finished is None else max(finished, with_flight)


def _memory(limits: Limits, window: SampleWindow, now: float) -> Verdict | None:  # noqa: ARG001 - one signature for all rules
    limit = limits.memory_bytes
    if limit is None or not window.full:
        return None
    lowest = min(sample.memory for sample in window.recent())
    return Verdict(Reason.MEMORY_LIMIT_EXCEEDED, lowest, limit) if lowest > limit else None


def _gpu_memory(limits: Limits, window: SampleWindow, now: float) -> Verdict | None:  # noqa: ARG001
    limit = limits.gpu_memory_bytes
    seen = [sample.gpu_memory for sample in window.recent() if sample.gpu_memory is not None]
    if limit is None or len(seen) < MEMORY_SAMPLES or min(seen) <= limit:
        return None
    return Verdict(Reason.GPU_MEMORY_LIMIT_EXCEEDED, min(seen), limit)


def _step_time(limits: Limits, window: SampleWindow, now: float) -> Verdict | None:
    limit, newest = limits.step_seconds, window.newest
    if limit is None or newest is None:
        return None
    observed = max(newest.longest_step, newest.in_flight(now))
    return Verdict(Reason.STEP_TIME_LIMIT_EXCEEDED, observed, limit) if observed > limit else None


def _mean_step_time(limits: Limits, window: SampleWindow, now: float) -> Verdict | None:
    limit = limits.mean_step_seconds
    observed = None if limit is None else mean_step_time(window, now)
    if limit is None or observed is None or observed <= limit:
        return None
    return Verdict(Reason.MEAN_STEP_TIME_LIMIT_EXCEEDED, observed, limit)


def _trial_duration(limits: Limits, window: SampleWindow, now: float) -> Verdict | None:
    limit, observed = limits.trial_seconds, now - window.started
    return Verdict(Reason.TRIAL_DURATION_EXCEEDED, observed, limit) if limit is not None and observed > limit else None


RULES: Final[tuple[Callable[[Limits, SampleWindow, float], Verdict | None], ...]] = (
    _memory,  # first: it endangers other trials on the node
    _gpu_memory,
    _step_time,  # a hanging step has no mean
    _mean_step_time,
    _trial_duration,
)


def judge(limits: Limits, window: SampleWindow, now: float) -> Verdict | None:
    """Return the first limit in the order of RULES that the trial exceeds at `now`, or None."""
    for rule in RULES:
        verdict = rule(limits, window, now)
        if verdict is not None:
            return verdict
    return None


CONFIRM_SECONDS: Final = 0.003
"""Time between the first sample over the memory limit and the next, which confirms it."""
TICK_SECONDS: Final = 0.0005
"""Looks are at least so far apart, and so long after a limit is reached by time alone."""


def judged_again_at(limits: Limits, window: SampleWindow, now: float, planned: float) -> float:
    """When to look next: as `planned`, or earlier where a verdict is near.

    That is at once after a first sample over a limit on memory, and at the moment when a step in flight, or the trial,
    goes over a limit by lasting.
    """
    moments = [planned, *_crossings(limits, window)]
    newest = window.newest
    if newest is not None and (
        _above(newest.memory, limits.memory_bytes) or _above(newest.gpu_memory, limits.gpu_memory_bytes)
    ):
        moments.append(now + CONFIRM_SECONDS)
    return max(now + TICK_SECONDS, min(moments))


def _above(value: int | None, limit: int | None) -> bool:
    return value is not None and limit is not None and value > limit


def _crossings(limits: Limits, window: SampleWindow) -> Iterator[float]:
    """Moments at which time alone takes the trial over a limit."""
    first, newest = window.anchor(), window.newest
    if limits.trial_seconds is not None:
        yield window.started + limits.trial_seconds + TICK_SECONDS
    if newest is None or newest.step_started is None:
        return
    if limits.step_seconds is not None:
        yield newest.step_started + limits.step_seconds + TICK_SECONDS
    if limits.mean_step_seconds is not None and first is not None:
        steps, seconds = newest.steps - first.steps + 1, newest.step_seconds - first.step_seconds
        if steps >= window.window_steps:
            yield newest.step_started + limits.mean_step_seconds * steps - seconds + TICK_SECONDS
