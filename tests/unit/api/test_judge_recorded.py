"""The limit policy against recordings of real processes (tools/record_traces.py): no false stop, no missed one.

Each recording is looked at as the monitor would, at many phases: a glance every GLANCE_SECONDS, a look where memory moves
or is over the limit, and again when `judged_again_at` says so.
"""

import bisect
import itertools
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from tuningsweep_api.judge import Sample, SampleWindow, Verdict, judge, judged_again_at
from tuningsweep_api.outcomes import Reason
from tuningsweep_api.spec.limits import Limits
from tuningsweep_trainer.supervisor.sampler import GLANCE_SECONDS

RECORDED = Path(__file__).parent / "recorded"
NAMES = sorted(file.stem for file in RECORDED.glob("*.json"))
PHASES = [phase * GLANCE_SECONDS / 7 for phase in range(7)]
SURE_SECONDS = GLANCE_SECONDS + 0.010
"""Memory over the limit for so long is always seen: a glance, and the look that confirms it."""


@dataclass(frozen=True)
class Recording:
    memory_kib: list[int]
    interval: float
    step_seconds: list[float]

    @cached_property
    def ends(self) -> list[float]:
        """When each step ended."""
        return list(itertools.accumulate(self.step_seconds))

    @property
    def duration(self) -> float:
        return len(self.memory_kib) * self.interval

    def at(self, time: float) -> Sample:
        """What a look at a moment sees."""
        memory = self.memory_kib[min(int(time / self.interval), len(self.memory_kib) - 1)] << 10
        done = bisect.bisect_right(self.ends, time)
        seconds = self.ends[done - 1] if done else 0.0
        started = seconds if done < len(self.ends) else None
        return Sample(time, memory, done, seconds, max(self.step_seconds[:done], default=0.0), started)


def recording(name: str) -> Recording:
    content = json.loads((RECORDED / f"{name}.json").read_text())
    return Recording(content["memory_kib"], content["interval_seconds"], content["step_seconds"])


def watch(recorded: Recording, limits: Limits, phase: float) -> tuple[float, Verdict] | None:
    """When and why the process would be stopped."""
    window = SampleWindow(0.0, limits.warmup_steps, limits.window_steps)
    now = phase
    while now < recorded.duration:
        window.add(recorded.at(now))
        verdict = judge(limits, window, now)
        if verdict is not None:
            return now, verdict
        now = judged_again_at(limits, window, now, now + GLANCE_SECONDS)
    return None


def over_for(recorded: Recording, limit_kib: int) -> list[tuple[float, float]]:
    """Stretches (from, to) in which memory is over a limit all the time."""
    stretches, start = [], None
    for index, memory in enumerate([*recorded.memory_kib, 0]):
        if memory > limit_kib and start is None:
            start = index
        elif memory <= limit_kib and start is not None:
            stretches.append((start * recorded.interval, index * recorded.interval))
            start = None
    return stretches


@pytest.mark.parametrize("name", NAMES)
def test_a_process_that_never_goes_over_is_never_stopped(name: str) -> None:
    recorded = recording(name)
    limits = Limits(memory=f"{max(recorded.memory_kib)}Ki")
    assert [watch(recorded, limits, phase) for phase in PHASES] == [None] * len(PHASES)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.95])
@pytest.mark.parametrize("name", NAMES)
def test_a_process_that_stays_over_is_stopped_soon(name: str, share: float) -> None:
    recorded = recording(name)
    low, high = min(recorded.memory_kib), max(recorded.memory_kib)
    limit = int(low + share * (high - low))
    limits = Limits(memory=f"{max(limit, 16 << 10)}Ki")
    long = [start for start, end in over_for(recorded, max(limit, 16 << 10)) if end - start >= SURE_SECONDS]
    if not long:
        assert name == "random_batches_small", "its memory is level, so that there is nothing to miss"
        return
    for phase in PHASES:
        stopped = watch(recorded, limits, phase)
        assert stopped is not None
        when, verdict = stopped
        assert verdict.reason is Reason.MEMORY_LIMIT_EXCEEDED
        assert when <= max(long[0], phase) + SURE_SECONDS + 0.001


@pytest.mark.parametrize("name", NAMES)
def test_readings_that_are_wrong_once_stop_nothing(name: str) -> None:
    """A reading between two of the kernel's counter updates, in every look but never twice in a row."""
    recorded = recording(name)
    limits = Limits(memory=f"{max(recorded.memory_kib)}Ki")
    window = SampleWindow(0.0, limits.warmup_steps, limits.window_steps)
    for number in range(int(recorded.duration / GLANCE_SECONDS)):
        sample = recorded.at(number * GLANCE_SECONDS)
        odd = number % 2 == 1
        window.add(Sample(sample.time, 10 * sample.memory if odd else sample.memory))
        assert judge(limits, window, sample.time) is None


def means(recorded: Recording, warmup: int, least: int) -> list[float]:
    """Mean step times over every run of at least `least` steps after the warm-up."""
    steps = recorded.step_seconds[warmup:]
    sums = [0.0, *itertools.accumulate(steps)]
    return [
        (sums[end] - sums[start]) / (end - start)
        for start in range(len(steps))
        for end in range(start + least, min(start + 4 * least, len(steps)) + 1)
    ]


STEPPING = [name for name in NAMES if len(recording(name).step_seconds) >= 20]


@pytest.mark.parametrize("name", STEPPING)
def test_mean_step_time_within_the_limit_in_every_window_stops_nothing(name: str) -> None:
    recorded = recording(name)
    highest = max(means(recorded, warmup=3, least=5))
    limits = Limits(mean_step_time=f"{int(highest * 1000) + 1}ms", warmup_steps=3, window_steps=5)
    assert max(recorded.step_seconds) > highest, "no single step is slow, the recording proves nothing"
    assert [watch(recorded, limits, phase) for phase in PHASES] == [None] * len(PHASES)


@pytest.mark.parametrize("name", STEPPING)
def test_mean_step_time_over_the_limit_in_every_window_always_stops(name: str) -> None:
    recorded = recording(name)
    lowest = min(means(recorded, warmup=3, least=5))
    limits = Limits(mean_step_time=f"{int(lowest * 1000)}ms", warmup_steps=3, window_steps=5)
    for phase in PHASES:
        stopped = watch(recorded, limits, phase)
        assert stopped is not None
        assert stopped[1].reason is Reason.MEAN_STEP_TIME_LIMIT_EXCEEDED
        assert stopped[0] <= recorded.ends[3 + 2 * 5], "seen within two windows"
