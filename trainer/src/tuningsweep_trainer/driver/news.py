"""Requests to the control API that wait for news of the sweep: bounded in number and time, woken by the conductor's turns.

Used in the control API's event loop alone.
"""

import asyncio
import re
from collections.abc import Callable, Iterable
from typing import Final

from tuningsweep_api.messages import SweepState

MOST_WAITING: Final = 16
"""Requests that may wait at a time; one more is told at once that there are no news."""
LONGEST_WAIT_SECONDS: Final = 30.0

_WAIT: Final = re.compile(r'\s*wait\s*=\s*"?([0-9]{1,9})"?\s*(;.*)?', re.IGNORECASE)


def seconds_to_wait(prefer: Iterable[str]) -> float:
    """How long a request with these Prefer headers (RFC 7240) may wait; 0 without a `wait` that can be read."""
    for header in prefer:
        for preference in header.split(","):
            if found := _WAIT.fullmatch(preference):
                return min(LONGEST_WAIT_SECONDS, float(found[1]))
    return 0.0


class News:
    """Those who wait, each for a state with another tag than the one it knows."""

    def __init__(self, state: Callable[[], SweepState]) -> None:
        self._state = state
        self._waiting: dict[asyncio.Future[SweepState | None], str] = {}
        self._closed = False

    async def other_than(self, tag: str, seconds: float) -> SweepState | None:
        """The first state whose tag is another; None if none came in time, or if this request may not wait."""
        if self._closed or seconds <= 0.0 or len(self._waiting) >= MOST_WAITING:
            return None
        news: asyncio.Future[SweepState | None] = asyncio.get_running_loop().create_future()
        self._waiting[news] = tag
        try:
            async with asyncio.timeout(seconds):
                return await news
        except TimeoutError:
            return None
        finally:
            del self._waiting[news]

    def look(self) -> None:
        """The state may have changed: tell those to whom it is news."""
        if not self._waiting:
            return
        state = self._state()
        tag = state.tag()
        for news, known in self._waiting.items():
            if known != tag and not news.done():
                news.set_result(state)

    def close(self) -> None:
        """Let everybody go; nobody waits any more."""
        self._closed = True
        for news in self._waiting:
            if not news.done():
                news.set_result(None)
