"""Packing: the pure decision whether a trial may start now or is held until there is memory (parallelTrialCount Auto).

Called by `admission` for every trial of every sweep on the node, under a lock. Bytes; times are CLOCK_MONOTONIC.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tuningsweep_api import text
from tuningsweep_api.spec.limits import LimitAction, Limits
from tuningsweep_trainer.container import MemoryRoom

PATIENCE_SECONDS: Final = 30.0
"""How long a held trial lets smaller ones that came later go first; then nothing starts before it."""
LEAST_RESERVE: Final = 128 << 20
RESERVE_SHARE: Final = 0.05
"""Share of the memory that is kept free: processes beside the trials grow too, and a forecast may be a little low."""


@dataclass(frozen=True, slots=True)
class RunningTrial:
    """A trial that has been admitted."""

    memory: int
    """What it holds now."""
    peak: int | None
    """The most it is expected to hold; None if nothing is known."""

    @property
    def growth(self) -> int:
        """What it is expected to take yet, as far as is known."""
        return max(0, (self.peak or 0) - self.memory)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trial that wants to start."""

    peak: int | None
    """The most it is expected to hold (upper bound of the forecast, or its limit); None if nothing is known."""
    since: float
    """When it first asked."""


def hold_reason(
    room: MemoryRoom, running: Sequence[RunningTrial], candidate: Candidate, held: Sequence[Candidate], now: float
) -> str | None:
    """Why the candidate is held, as a sentence for people; None to admit it. `held` are the others that wait.

    One trial may always run, whatever it needs, so nothing waits for ever: the kernel is the judge of one that does not
    fit alone. A trial of which nothing is known runs alone.
    """
    if not running:
        return None
    if any(other.since < candidate.since and now - other.since > PATIENCE_SECONDS for other in held):
        return "a trial that has waited longer goes first"
    if candidate.peak is None:
        return "nothing is known of its memory yet, so it waits to run alone; limits.memory would bound it"
    if any(trial.peak is None for trial in running):
        return "a trial runs of whose memory nothing is known yet; limits.memory would bound it"
    promised = sum(trial.growth for trial in running)
    free = room.limit - reserve(room) - room.used - promised
    if candidate.peak <= free:
        return None
    return (
        f"it may need {text.memory(candidate.peak)}, and of {text.memory(room.limit)} the trials that run leave"
        f" {text.memory(max(0, free))}"
    )


def expected_peak(forecast: int | None, limits: Limits) -> int | None:
    """The most bytes that a trial is expected to hold: its forecast's upper bound, or a limit that stops it, or unknown."""
    known = [] if forecast is None else [forecast]
    if limits.memory_bytes is not None and limits.action is LimitAction.STOP:
        known.append(limits.memory_bytes)
    return min(known, default=None)


def reserve(room: MemoryRoom) -> int:
    """Bytes kept free."""
    return max(LEAST_RESERVE, int(RESERVE_SHARE * room.limit))
