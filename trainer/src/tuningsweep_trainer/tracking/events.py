"""What is told to the tracking server, as values that survive in a file while the server is away."""

import time
from typing import Literal, Self

from pydantic import ConfigDict

from tuningsweep_api.model import Model
from tuningsweep_api.trials import Metrics

Kind = Literal["started", "reported", "ended", "sweep", "dataset", "losses", "best"]


class TrackingEvent(Model):
    """Something that happened to a trial, or (trial empty) to the sweep.

    `dataset`, `losses` and `best` say no more than that something lies ready in the results: what it is, is read there
    when the event is sent, so that events stay small.
    """

    model_config = ConfigDict(
        ser_json_inf_nan="constants"
    )  # a metric may be NaN, and comes back from the spool as such

    kind: Kind
    trial: str = ""
    time_ms: int
    """Unix time, milliseconds."""
    start_ms: int | None = None
    """When the trial whose end this tells of had started."""
    step: int = 0
    """Step of the metrics; of `losses` the number of points that the curve has at most."""
    parameters: dict[str, str] = {}
    tags: dict[str, str] = {}
    metrics: Metrics = {}
    status: str = ""
    """MLflow's run status, where the run has ended."""

    @classmethod
    def now(cls, kind: Kind, **fields: object) -> Self:
        """An event of this moment, unless `time_ms` says otherwise."""
        return cls.model_validate({"kind": kind, "time_ms": int(time.time() * 1000), **fields})

    @property
    def first_ms(self) -> int:
        """Unix time of the earliest thing that this tells of, milliseconds."""
        return self.time_ms if self.start_ms is None else self.start_ms

    @property
    def can_be_missed(self) -> bool:
        """Whether the record of the sweep is complete but for a few points of a curve without it."""
        return self.kind in ("reported", "losses")


def to_line(event: TrackingEvent) -> bytes:
    """An event as a line of a file."""
    return event.model_dump_json(by_alias=True, exclude_defaults=True).encode() + b"\n"


def from_line(line: bytes) -> TrackingEvent | None:
    """The event of a line; None if the line is torn."""
    try:
        return TrackingEvent.read(line)
    except ValueError:
        return None
