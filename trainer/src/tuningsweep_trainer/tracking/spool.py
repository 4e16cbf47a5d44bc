"""The spool: events that MLflow has not confirmed, in numbered files of the sweep's results, oldest first.

Every event goes through it, so that a driver that is killed loses the last second at most and the next one goes on. It is
bounded: past `most_bytes` only what happened to trials is kept (a few hundred bytes a trial), no more points of curves.
"""

import logging
import re
import threading
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from tuningsweep_trainer.results.store import Store
from tuningsweep_trainer.tracking.events import TrackingEvent, from_line, to_line

FOLDER: Final = "tracking/unsent"
MOST_BYTES: Final = 64 << 20
_NAME: Final = re.compile(r"^(\d{8})-(\d+)\.jsonl$")
"""Number and size in bytes: the size in the name spares asking the store for it."""

log = logging.getLogger(__name__)


class Spool:
    """Put to by one thread, taken from by another, or by one of another process. Errors are the store's OSError."""

    def __init__(self, store: Store, most_bytes: int = MOST_BYTES) -> None:
        self._store, self._most_bytes = store, most_bytes
        self._lock = threading.Lock()
        self._files = self._found()
        self._next = max((int(name[:8]) for name in self._files), default=-1) + 1
        self._missed = 0

    @property
    def bytes(self) -> int:
        """Size of everything kept."""
        with self._lock:
            return sum(self._files.values())

    @property
    def files(self) -> int:
        """Number of files."""
        with self._lock:
            return len(self._files)

    def put(self, events: Sequence[TrackingEvent]) -> None:
        """Keep events, durably."""
        if self.bytes >= self._most_bytes:
            events = self._without_curves(events)
        content = b"".join(map(to_line, events))
        if not content:
            return
        name = f"{self._next:08d}-{len(content)}.jsonl"
        self._store.write(f"{FOLDER}/{name}", content)
        with self._lock:
            self._files[name] = len(content)
            self._next += 1

    def oldest(self, most_bytes: int) -> list[str]:
        """Names of the files to send next: the oldest, and those after it that make no more than so many bytes with it."""
        with self._lock:
            sizes = sorted(self._files.items())
        sums = accumulate(size for _, size in sizes)
        return [
            name
            for place, ((name, _), total) in enumerate(zip(sizes, sums, strict=True))
            if not place or total <= most_bytes
        ]

    def read(self, name: str) -> list[TrackingEvent]:
        """Events of a file; lines torn by a crash are left out and counted in the log."""
        lines = (self._store.read(f"{FOLDER}/{name}") or b"").splitlines()
        events = [event for event in map(from_line, lines) if event is not None]
        if len(events) < len(lines):
            log.warning("%s/%s: %d unreadable lines are left out", FOLDER, name, len(lines) - len(events))
        return events

    def done(self, name: str) -> None:
        """A file's events have been sent."""
        self._store.delete(f"{FOLDER}/{name}")
        self.forget(name)

    def forget(self, name: str) -> None:
        """A file has been sent and deleted, here or by another process."""
        with self._lock:
            self._files.pop(name, None)

    def refresh(self) -> None:
        """Look for files that another process has put there."""
        found = self._found()
        with self._lock:
            self._files = found

    def _found(self) -> dict[str, int]:
        return {name: int(match[2]) for name in self._store.names(FOLDER) if (match := _NAME.match(name))}

    def _without_curves(self, events: Sequence[TrackingEvent]) -> list[TrackingEvent]:
        kept = [event for event in events if not event.can_be_missed]
        if len(kept) < len(events) and not self._missed:
            log.warning(
                "more than %d MiB wait to be sent to MLflow: points of curves are left out from now on,"
                " outcomes are still kept",
                self._most_bytes >> 20,
            )
        self._missed += len(events) - len(kept)
        return kept
