"""The work queue: each sweep's key is due at most once, never worked on twice at a time, and backs off when it fails.

It is the one scheduler of the operator: events make a key due now, a reconcile says when it wants to be due again.
"""

import asyncio
import heapq
import logging
import math
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from tuningsweep_operator.kube import KubeError, is_conflict
from tuningsweep_operator.lease import Fence
from tuningsweep_operator.resources import Key
from tuningsweep_operator.waiting import wait_set

Reconcile = Callable[[Key], Awaitable[float | None]]
"""Works on a key; seconds until it is due again, None for not before the next event."""

FIRST_BACKOFF: Final = 0.5
LONGEST_BACKOFF: Final = 60.0

log = logging.getLogger(__name__)


def backoff_seconds(failures: int) -> float:
    """Seconds to wait after that many failures in a row."""
    return min(LONGEST_BACKOFF, FIRST_BACKOFF * 2.0 ** (failures - 1))


class Schedule:
    """When each key is due; pure but for what it remembers, time is an argument. Each call costs O(log n)."""

    def __init__(self) -> None:
        self._due: dict[Key, float] = {}
        self._heap: list[tuple[float, Key]] = []
        """Every time a key was made due, earliest first; those that are no longer in `_due` are passed over."""
        self._busy: set[Key] = set()
        self._failures: dict[Key, int] = {}

    def add(self, key: Key, due: float) -> None:
        """Make a key due at `due`, or earlier if it is so already."""
        if due < self._due.get(key, math.inf):
            self._due[key] = due
            if key not in self._busy:
                heapq.heappush(self._heap, (due, key))

    def take(self, now: float) -> Key | None:
        """A key that is due and not being worked on; it is busy until `done` or `failed`."""
        due = self.next_due()
        if due is None or due > now:
            return None
        _, key = heapq.heappop(self._heap)
        del self._due[key]
        self._busy.add(key)
        return key

    def next_due(self) -> float | None:
        """When the next key that is not busy becomes due."""
        while self._heap:
            due, key = self._heap[0]
            if self._due.get(key) == due and key not in self._busy:
                return due
            heapq.heappop(self._heap)
        return None

    def depth(self, now: float) -> tuple[int, int]:
        """How many keys are due and wait for a worker, and how many are being worked on."""
        return sum(due <= now and key not in self._busy for key, due in self._due.items()), len(self._busy)

    def done(self, key: Key, again: float | None) -> None:
        """The work on a key succeeded; it is due again at `again`."""
        self._failures.pop(key, None)
        self._free(key, again)

    def failed(self, key: Key, now: float, at_least: float = 0.0) -> float:
        """The work on a key failed; it is due again after a back-off, whose seconds are returned."""
        self._failures[key] = self._failures.get(key, 0) + 1
        wait = max(at_least, backoff_seconds(self._failures[key]))
        self._free(key, now + wait)
        return wait

    def forgive(self) -> None:
        """Forget how often keys have failed: what made them fail is over."""
        self._failures.clear()

    def _free(self, key: Key, again: float | None) -> None:
        """A key is not busy any more: what it was made due for meanwhile counts too."""
        self._busy.discard(key)
        due = min(self._due.pop(key, math.inf), math.inf if again is None else again)
        if due < math.inf:
            self.add(key, due)


class WorkQueue:
    """Runs a reconcile function over a Schedule with a bounded number of workers, while the fence is open."""

    def __init__(self, reconcile: Reconcile, workers: int, fence: Fence) -> None:
        self._reconcile = reconcile
        self._workers = workers
        self._fence = fence
        self._draining = False
        self._schedule = Schedule()
        self._wake = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self.last_turn = time.monotonic()
        """When the queue last looked for work; /healthz reads it."""

    def add(self, key: Key) -> None:
        """Make a key due now."""
        self._schedule.add(key, time.monotonic())
        self._wake.set()

    def restart(self, keys: Iterable[Key]) -> None:
        """Make keys due now, whatever came before: this replica has just become the one that works."""
        self._schedule.forgive()
        for key in keys:
            self._schedule.add(key, time.monotonic())
        self._wake.set()

    async def drain(self, seconds: float) -> bool:
        """Start nothing more and let what is under way end; whether it did within so many seconds."""
        self._draining = True
        running = set(self._running)
        return not running or not (await asyncio.wait(running, timeout=seconds))[1]

    def depth(self) -> tuple[int, int]:
        """How many keys are due and wait for a worker, and how many are being worked on."""
        return self._schedule.depth(time.monotonic())

    async def run(self) -> None:
        """Work until cancelled; work under way is then cancelled too."""
        try:
            while True:
                self._start_due()
                await self._sleep()
        finally:
            for task in self._running:
                task.cancel()

    def _start_due(self) -> None:
        self.last_turn = now = time.monotonic()
        while not self._full():
            key = self._schedule.take(now)
            if key is None:
                return
            task = asyncio.create_task(self._work(key))
            self._running.add(task)
            task.add_done_callback(self._finished)

    def _full(self) -> bool:
        """Whether no more work may be started now."""
        return self._draining or len(self._running) >= self._workers or self._fence() <= 0.0

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._wake.set()

    async def _work(self, key: Key) -> None:
        try:
            again = await self._reconcile(key)
        except Exception as error:
            at_least = error.retry_after if isinstance(error, KubeError) else 0.0
            wait = self._schedule.failed(key, time.monotonic(), at_least)
            extra = {"namespace": key[0], "sweep": key[1]}
            if is_conflict(error):
                log.info("somebody else wrote first, next try in %g s: %s", wait, error, extra=extra)
            else:
                log.error("reconcile failed, next try in %g s: %s", wait, error, extra=extra, exc_info=True)
        else:
            self._schedule.done(key, None if again is None else time.monotonic() + again)

    async def _sleep(self) -> None:
        due = self._schedule.next_due()
        timeout = 5.0 if due is None or self._full() else min(5.0, max(0.0, due - time.monotonic()))
        self._wake.clear()
        await wait_set(self._wake, timeout)
