"""The step clock: a few numbers in shared memory that the training process writes and its supervisor reads.

`step()` writes it on every step, so it has to cost about a microsecond: no lock, no system call but the clock. A
sequence number that is odd while numbers change lets the reader notice that it read in between and read again.
"""

import mmap
import os
import time
from dataclasses import dataclass
from typing import Final

_SEQUENCE, _STEPS, _SECONDS, _LONGEST, _STARTED = range(5)
_FIELDS: Final = 5
SIZE: Final = _FIELDS * 8
"""Bytes of the shared memory: five doubles, which hold counts exactly up to 2**53."""
_READ_ATTEMPTS: Final = 20


@dataclass(frozen=True, slots=True)
class ClockReading:
    """One reading of a step clock; seconds are of CLOCK_MONOTONIC."""

    steps: int = 0
    """Steps finished."""
    seconds: float = 0.0
    """Wall time of the finished steps together."""
    longest: float = 0.0
    """Wall time of the longest finished step."""
    started: float | None = None
    """When the step in flight began; None between steps."""


class StepClock:
    """One end of a step clock over a file descriptor made by `create`; the other end has a StepClock of its own."""

    def __init__(self, descriptor: int) -> None:
        self._memory = mmap.mmap(descriptor, SIZE)
        self._field = memoryview(self._memory).cast("d")
        self._last = ClockReading()

    @staticmethod
    def create() -> int:
        """A file descriptor of zeroed anonymous memory for a new clock; the caller closes it."""
        descriptor = os.memfd_create("tuningsweep-step-clock")
        os.ftruncate(descriptor, SIZE)
        return descriptor

    def close(self) -> None:
        """Let go of the memory."""
        self._field.release()
        self._memory.close()

    def start(self, now: float | None = None) -> None:
        """A step begins."""
        self._field[_STARTED] = time.monotonic() if now is None else now

    def finish(self, now: float | None = None) -> None:
        """The step in flight is done; does nothing between steps."""
        field = self._field
        started = field[_STARTED]
        if started == 0.0:
            return
        took = (time.monotonic() if now is None else now) - started
        field[_SEQUENCE] += 1
        field[_STEPS] += 1
        field[_SECONDS] += took
        if took > field[_LONGEST]:
            field[_LONGEST] = took
        field[_STARTED] = 0.0
        field[_SEQUENCE] += 1

    def suspend(self) -> float:
        """Stop counting (the process waits for its supervisor); returns the seconds of the step in flight, or -1."""
        started = self._field[_STARTED]
        if started == 0.0:
            return -1.0
        elapsed = time.monotonic() - started
        self._field[_STARTED] = 0.0
        return elapsed

    def resume(self, elapsed: float) -> None:
        """Go on counting after `suspend` returned `elapsed`."""
        if elapsed >= 0.0:
            self._field[_STARTED] = time.monotonic() - elapsed

    def advance(self, steps: int, seconds: float) -> None:
        """Count steps that someone else timed (a command's reports): `seconds` for all of them together."""
        if steps <= 0:
            return
        field = self._field
        field[_SEQUENCE] += 1
        field[_STEPS] += steps
        field[_SECONDS] += seconds
        field[_LONGEST] = max(field[_LONGEST], seconds / steps)
        field[_SEQUENCE] += 1

    def read(self) -> ClockReading:
        """The numbers now, or the last consistent ones if the writer is stuck in the middle of a change."""
        field = self._field
        for _ in range(_READ_ATTEMPTS):
            before = field[_SEQUENCE]
            steps, seconds, longest, started = (field[i] for i in (_STEPS, _SECONDS, _LONGEST, _STARTED))
            if before % 2 == 0 and field[_SEQUENCE] == before:
                self._last = ClockReading(int(steps), seconds, longest, started or None)
                break
        return self._last
