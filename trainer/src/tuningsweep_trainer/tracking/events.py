"""What is told to the tracking server, as values that survive in a file while the server is away."""

import json
import logging
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, Self

from pydantic import ConfigDict

from tuningsweep_api.model import Model
from tuningsweep_api.trials import Metrics

log = logging.getLogger(__name__)


class TrackingEvent(Model):
    """Something that happened to a trial, or (trial empty) to the sweep."""

    model_config = ConfigDict(
        ser_json_inf_nan="constants"
    )  # a metric may be NaN, and comes back from the spool as such

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
    """Events that could not be sent, one JSON line each; they are sent first at the next chance.

    Events being sent are kept in a second file until `sent()`, so that a crash in between loses none. An event may thus
    be sent twice, which MLflow takes as once.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._sending = path.with_name(f"{path.name}.sending")
        self._lock = threading.Lock()  # the driver puts while the tracking thread takes

    def put(self, events: Iterable[TrackingEvent]) -> None:
        """Add events."""
        lines = [event.model_dump_json(by_alias=True) + "\n" for event in events]
        if lines:
            with self._lock, self.path.open("a", encoding="utf-8") as file:
                file.writelines(lines)

    def take(self) -> list[TrackingEvent]:
        """All events, to be sent now; lines torn by a crash are dropped and counted in the log."""
        with self._lock:
            if self.path.is_file():
                with self._sending.open("a", encoding="utf-8") as file:
                    file.write(self.path.read_text(encoding="utf-8"))
                self.path.unlink()
        if not self._sending.is_file():
            return []
        lines = self._sending.read_text(encoding="utf-8").splitlines()
        events = [event for event in map(_read, lines) if event is not None]
        if len(events) < len(lines):
            log.warning("%s: %d unreadable lines are left out", self.path, len(lines) - len(events))
        return events

    def sent(self) -> None:
        """What was taken has been sent, or put back."""
        self._sending.unlink(missing_ok=True)


def _read(line: str) -> TrackingEvent | None:
    try:
        return TrackingEvent.model_validate(json.loads(line))
    except ValueError:
        return None
