"""Which replica may write, and for how long: pure rules over one coordination.k8s.io Lease, used by `leadership.py`.

A clock is only ever compared with itself: a holder counts from the moment before it asked for its renewal, the others from
the moment they saw it, which is later. So a holder that stops writing early enough stops before anyone else may start. The
client library's own election does not say until when its holder may write, nor does it give a lease back.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from tuningsweep_api import names
from tuningsweep_operator.resources import Manifest

Fence = Callable[[], float]
"""Seconds that a write which starts now may take; 0 where this replica must not write."""

NOBODY: Final = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """The times of a lease, in seconds, all from its duration."""

    duration: float

    @property
    def writing(self) -> float:
        """From asking for a renewal until the last write must have ended; the rest is for clocks of uneven pace."""
        return 0.8 * self.duration

    @property
    def renewal(self) -> float:
        """Between two renewals."""
        return 0.2 * self.duration

    @property
    def look(self) -> float:
        """Between two looks of a replica that waits."""
        return 0.1 * self.duration

    @property
    def request(self) -> float:
        """The longest that one request about the lease may take, so that there is time for another."""
        return 0.4 * self.duration


@dataclass(frozen=True, slots=True)
class Record:
    """What a Lease says."""

    holder: str
    duration: float
    """Seconds, as its holder wrote them: it may be of another version, with another duration."""
    acquired: str = ""
    renewed: str = ""
    transitions: int = 0
    version: str = ""
    """Its resource version; a write is refused unless it is still this one."""

    @classmethod
    def from_manifest(cls, manifest: Manifest) -> "Record":
        """The record in a Lease."""
        spec = manifest.get("spec") or {}
        return cls(
            holder=spec.get("holderIdentity") or NOBODY,
            duration=spec.get("leaseDurationSeconds") or 0,
            acquired=spec.get("acquireTime") or "",
            renewed=spec.get("renewTime") or "",
            transitions=spec.get("leaseTransitions") or 0,
            version=manifest["metadata"].get("resourceVersion", ""),
        )

    def manifest(self, namespace: str, name: str) -> Manifest:
        """The Lease that says this."""
        metadata: dict[str, Any] = {
            "name": name,
            "namespace": namespace,
            "labels": {names.LABEL_MANAGED_BY: names.MANAGED_BY},
        }
        if self.version:
            metadata["resourceVersion"] = self.version
        spec = {
            "holderIdentity": self.holder,
            "leaseDurationSeconds": max(1, math.ceil(self.duration)),
            "acquireTime": self.acquired,
            "renewTime": self.renewed,
            "leaseTransitions": self.transitions,
        }
        return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}


class Election:
    """What one replica knows of the lease; `now` is its own monotonic clock, in seconds."""

    def __init__(self, identity: str, terms: Terms) -> None:
        self.identity, self.terms = identity, terms
        self._record: Record | None = None
        self._seen_at = 0.0
        self._asked_at: float | None = None

    def saw(self, record: Record | None, now: float) -> None:
        """Take in the lease as it was read; None if there is none."""
        if record is None or record != self._record:
            self._record, self._seen_at = record, now
        if record is None or record.holder != self.identity:
            self._asked_at = None

    def won(self, record: Record, asked_at: float) -> None:
        """Take in that a claim, asked for at `asked_at`, is now what the lease says."""
        self._record, self._seen_at, self._asked_at = record, asked_at, asked_at

    def lost_sight(self) -> None:
        """A claim was refused, since the lease is no longer as it was seen: look again."""
        self._record, self._asked_at = None, None

    def writing_seconds(self, now: float) -> float:
        """Seconds left in which this replica may write."""
        return 0.0 if self._asked_at is None else max(0.0, self._asked_at + self.terms.writing - now)

    def leads(self, now: float) -> bool:
        """Whether this replica may write now."""
        return self.writing_seconds(now) > 0.0

    def may_claim(self, now: float) -> bool:
        """Whether the lease, as it was last read, is free, ours, or not renewed for its whole duration."""
        record = self._record
        if record is None or record.holder in (NOBODY, self.identity):
            return True
        return now - self._seen_at >= record.duration

    def claim(self, at: datetime) -> Record:
        """What to write in order to take or renew the lease; `at` is for people who read it."""
        before = self._record or Record(NOBODY, 0.0, transitions=-1)
        renewed = replace(before, renewed=_time(at), duration=self.terms.duration)
        if before.holder == self.identity:
            return renewed
        return replace(renewed, holder=self.identity, acquired=_time(at), transitions=before.transitions + 1)

    def release(self, at: datetime) -> Record | None:
        """What to write in order to give the lease back at once; None if it is not held. No write is allowed any more."""
        self._asked_at = None
        if self._record is None or self._record.holder != self.identity:
            return None
        return replace(self._record, holder=NOBODY, renewed=_time(at))

    def wait_seconds(self, now: float) -> float:
        """Seconds until it is time to renew, to look again, or to take a lease that runs out sooner."""
        if self.leads(now):
            return self.terms.renewal
        record = self._record
        if record is None or record.holder in (NOBODY, self.identity):
            return self.terms.look
        return min(self.terms.look, max(0.0, self._seen_at + record.duration - now))


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
