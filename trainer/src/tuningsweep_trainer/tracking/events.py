"""What is told to the tracking server, as values that survive in a file while the server is away."""

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, Self

from tuningsweep_api.model import Model
from tuningsweep_api.trials import Metrics


class TrackingEvent(Model):
    """Something that happened to a trial, or (trial empty) to the sweep."""

    kind: Literal["started", "reported", "ended", "sweep"]
    trial: str = ""
    time_ms: int
    """Unix time, milliseconds."""
    step: int = 0
    values: dict[str, str] = {}
    """Parameters (started) or tags (ended, sweep)."""
    metrics: Metrics = {}
    failed: bool = False

    @classmethod
    def now(cls, kind: Literal["started", "reported", "ended", "sweep"], **fields: object) -> Self:
        """An event of this moment."""
        return cls.model_validate({"kind": kind, "time_ms": int(time.time() * 1000), **fields})


class Spool:
    """Events that could not be sent, one JSON line each; they are sent first at the next chance."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def put(self, events: Iterable[TrackingEvent]) -> None:
        """Add events."""
        lines = [event.model_dump_json(by_alias=True) + "\n" for event in events]
        if lines:
            with self.path.open("a", encoding="utf-8") as file:
                file.writelines(lines)

    def take(self) -> list[TrackingEvent]:
        """All events, removed from the file; lines torn by a crash are dropped."""
        if not self.path.is_file():
            return []
        events = []
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                events.append(TrackingEvent.model_validate(json.loads(line)))
            except ValueError:
                continue
        self.path.unlink()
        return events
