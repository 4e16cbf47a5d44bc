"""Who may write: the rules of the lease, and two replicas against one lease over a bad network, in simulated time."""

import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random

import pytest

from tuningsweep_operator.lease import NOBODY, Election, Record, Terms

TERMS = Terms(10.0)
AT = datetime(2026, 1, 2, 3, 4, 5, 678, UTC)
TAKEOVER_SECONDS = 15.0


def held(holder: str, version: str = "1", duration: float = 10.0) -> Record:
    return Record(holder, duration, "then", "then", 3, version)


def test_there_is_time_for_a_second_try_and_writing_ends_before_the_lease_does() -> None:
    assert TERMS.renewal + TERMS.request < TERMS.writing < TERMS.duration


@pytest.mark.parametrize(
    ("record", "waited", "may_claim"),
    [
        (None, 0.0, True),
        (held(NOBODY), 0.0, True),
        (held("me"), 0.0, True),
        (held("you"), 0.0, False),
        (held("you"), 9.9, False),
        (held("you"), 10.0, True),
        (held("you", duration=30.0), 29.9, False),  # the holder's own duration counts
        (held("you", duration=3.0), 3.0, True),
    ],
)
def test_who_may_claim(record: Record | None, waited: float, may_claim: bool) -> None:
    election = Election("me", TERMS)
    election.saw(record, 100.0)
    assert election.may_claim(100.0 + waited) is may_claim
    assert not election.leads(100.0 + waited)


def test_a_renewal_that_is_seen_counts_from_then() -> None:
    election = Election("me", TERMS)
    election.saw(held("you"), 100.0)
    election.saw(held("you", version="2"), 109.0)
    assert not election.may_claim(110.0)
    assert election.may_claim(119.0)


def test_writing_counts_from_before_the_renewal_was_asked_for() -> None:
    election = Election("me", TERMS)
    election.won(held("me"), asked_at=100.0)
    assert election.writing_seconds(103.0) == 5.0
    assert not election.leads(108.0)
    assert election.wait_seconds(103.0) == TERMS.renewal


def test_a_claim_keeps_what_people_read() -> None:
    election = Election("me", TERMS)
    election.saw(held("you"), 0.0)
    taken = election.claim(AT)
    assert (taken.holder, taken.transitions, taken.version) == ("me", 4, "1")
    assert taken.acquired == taken.renewed == "2026-01-02T03:04:05.000678Z"
    election.won(taken, 10.0)
    renewed = election.claim(AT.replace(minute=5))
    assert (renewed.acquired, renewed.transitions) == (taken.acquired, 4)
    assert renewed.renewed != taken.renewed


def test_a_lease_given_back_is_not_written_under_any_more_and_is_free_at_once() -> None:
    election, other = Election("me", TERMS), Election("you", TERMS)
    election.won(held("me"), 100.0)
    given_back = election.release(AT)
    assert given_back is not None
    assert not election.leads(100.0)
    other.saw(given_back, 200.0)
    assert other.may_claim(200.0)


def test_what_is_not_held_is_not_given_back() -> None:
    election = Election("me", TERMS)
    election.saw(held("you"), 0.0)
    assert election.release(AT) is None


def test_a_claim_that_was_refused_ends_writing() -> None:
    election = Election("me", TERMS)
    election.won(held("me"), 100.0)
    election.lost_sight()
    assert not election.leads(100.1)


def test_a_record_is_what_its_manifest_says() -> None:
    record = held("me")
    manifest = record.manifest("system", "operator")
    assert manifest["metadata"]["resourceVersion"] == "1"
    assert Record.from_manifest(manifest) == record
    assert "resourceVersion" not in Record("me", 10.0).manifest("system", "operator")["metadata"]


class World:
    """A lease, and replicas with clocks of their own whose requests are slow, lost, or answered in vain."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.now = 0.0
        self.lease: Record | None = None
        self.versions = itertools.count(1)
        self.agenda: list[tuple[float, int, Callable[[], None]]] = []
        self.order = itertools.count()
        self.elections = [Election(name, TERMS) for name in ("a", "b")]
        self.offsets = [self.random.uniform(0, 1e6) for _ in self.elections]
        self.alive = [True, True]
        self.loss = 0.5
        for index in range(2):
            self.after(self.random.uniform(0, 1), lambda index=index: self.turn(index))

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self.agenda, (self.now + seconds, next(self.order), action))

    def clock(self, index: int) -> float:
        return self.now + self.offsets[index]

    def run(self, until: float) -> None:
        while self.agenda and self.agenda[0][0] <= until:
            self.now, _, action = heapq.heappop(self.agenda)
            action()
            self.check()
        self.now = until
        self.check()

    def check(self) -> None:
        leaders = [e.identity for i, e in enumerate(self.elections) if self.alive[i] and e.leads(self.clock(i))]
        assert len(leaders) <= 1, f"two writers at {self.now}"

    def leader(self) -> int | None:
        return next((i for i in range(2) if self.alive[i] and self.elections[i].leads(self.clock(i))), None)

    def turn(self, index: int) -> None:
        """What Leadership does: read unless leading, then claim; each request may be lost on either way."""
        if not self.alive[index]:
            return
        election = self.elections[index]
        delay = self.random.uniform(0, TERMS.request if self.loss else 0.1)
        lost = self.random.random() < self.loss
        if not election.leads(self.clock(index)):
            seen = self.lease
            if lost:
                self.after(TERMS.request, lambda: self.rest(index))
                return
            self.after(delay, lambda: (election.saw(seen, self.clock(index)), self.claim(index))[0])
            return
        self.claim(index)

    def claim(self, index: int) -> None:
        election = self.elections[index]
        asked_at = self.clock(index)
        if not self.alive[index] or not election.may_claim(asked_at):
            self.rest(index)
            return
        record = election.claim(AT)
        out, back = (self.random.uniform(0, TERMS.request / 2 if self.loss else 0.05) for _ in range(2))
        if self.random.random() < self.loss:
            if self.random.random() < 0.5:
                self.after(out, lambda: self.put(record))  # done, but the answer is lost
            self.after(TERMS.request, lambda: self.rest(index))
            return
        self.after(out, lambda: self.answer(index, self.put(record), asked_at, back))

    def put(self, record: Record) -> Record | None:
        if record.version != (self.lease.version if self.lease else ""):
            return None
        self.lease = Record(
            record.holder,
            record.duration,
            record.acquired,
            record.renewed,
            record.transitions,
            str(next(self.versions)),
        )
        return self.lease

    def answer(self, index: int, record: Record | None, asked_at: float, delay: float) -> None:
        def take_in() -> None:
            if record is None:
                self.elections[index].lost_sight()
            else:
                self.elections[index].won(record, asked_at)
            self.rest(index)

        self.after(delay, take_in)

    def rest(self, index: int) -> None:
        self.after(self.elections[index].wait_seconds(self.clock(index)), lambda: self.turn(index))


@pytest.mark.parametrize("seed", range(200))
def test_never_two_writers_and_a_killed_one_is_followed_in_time(seed: int) -> None:
    world = World(seed)
    world.run(120.0)  # on a bad network
    world.loss = 0.0
    world.run(160.0)
    killed = world.leader()
    assert killed is not None
    world.alive[killed] = False
    world.run(160.0 + TAKEOVER_SECONDS)
    assert world.leader() == 1 - killed
