"""A driver whose storage keeps it waiting: everybody but Tune goes on, and sees nothing that is not yet on record."""

import threading
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest

from support.patience import PATIENCE, eventually
from support.sweeps import sweep_manifest
from tuningsweep_api.messages import DesiredState, SweepState, TrialPage, desired_state
from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.driver.archive import Archive
from tuningsweep_trainer.driver.book import Book
from tuningsweep_trainer.driver.conductor import Conductor
from tuningsweep_trainer.driver.control import ControlServer
from tuningsweep_trainer.driver.listeners import Listeners
from tuningsweep_trainer.driver.live import Progress
from tuningsweep_trainer.driver.options import ControlOptions
from tuningsweep_trainer.driver.proposals import make_proposer
from tuningsweep_trainer.driver.state import sweep_result
from tuningsweep_trainer.node.runtime import Orders, Warned
from tuningsweep_trainer.results import desired as desired_file
from tuningsweep_trainer.results.desired import DesiredFile
from tuningsweep_trainer.results.ledger import ASSIGNMENTS, TRIALS, WARNINGS, Ledger
from tuningsweep_trainer.results.store import LocalStore
from tuningsweep_trainer.supervisor.result import TrialResult

SWEEP = TuningSweep.from_manifest(sweep_manifest())
FIRST = "trial-0000"
begin = ThreadPoolExecutor(8).submit
OVER = Warned(reason=Reason.MEMORY_LIMIT_EXCEEDED, observed=2.0, limit=1.0)


class Gate:
    """Whoever comes waits until it is opened."""

    def __init__(self) -> None:
        self._reached, self._open = threading.Event(), threading.Event()

    def wait(self) -> None:
        self._reached.set()
        assert self._open.wait(PATIENCE)

    def until_reached(self) -> None:
        assert self._reached.wait(PATIENCE)

    def open(self) -> None:
        self._open.set()


class SlowStore(LocalStore):
    """What is written to one file waits at the gate."""

    def __init__(self, root: Path, gate: Gate) -> None:
        super().__init__(root)
        self.slow, self.gate = "", gate
        self.written: list[str] = []

    def write(self, path: str, content: bytes) -> None:
        self._pass(path)
        super().write(path, content)

    def append(self, path: str, line: bytes, *, durable: bool = True) -> None:
        self._pass(path)
        super().append(path, line, durable=durable)

    def _pass(self, path: str) -> None:
        self.written.append(path)
        if path == self.slow:
            self.gate.wait()


class Fleet:
    """Of no nodes, which remembers the last orders."""

    nodes = 1

    def __init__(self) -> None:
        self.orders: Orders | None = None

    def order(self, orders: Orders) -> None:
        self.orders = orders

    def meet_nodes(self) -> None:
        pass

    def observe(self, _: object) -> dict[str, Any]:
        return {}


class SlowListener:
    """Waits at the gate when a trial ends."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def trial_started(self, *_: Any) -> None:
        pass

    def trial_reported(self, *_: Any) -> None:
        pass

    def trial_ended(self, _: TrialRecord) -> None:
        self._gate.wait()

    def sweep_ended(self, _: SweepState) -> None:
        pass


class Driver:
    """Book, conductor and control API over a store, with the threads of a test in place of Tune and the conductor's own."""

    def __init__(self, store: LocalStore, *listeners: Any) -> None:
        archive = Archive([])
        self.fleet, self.file = Fleet(), DesiredFile(store)
        proposer, told = make_proposer(SWEEP.spec, 0), Listeners([archive, *listeners])
        self.book = Book(SWEEP, Ledger(store), proposer, told, desired_state(SWEEP))
        self.conductor = Conductor(SWEEP, self.book, cast("Any", self.fleet), "driver", None, self.file)
        options = ControlOptions("token", host="127.0.0.1", port=0)
        self.server = ControlServer(self.conductor, archive, store, options)

    def call(self, path: str, body: bytes | None = None) -> bytes:
        url, headers = f"http://127.0.0.1:{self.server.port}{path}", {"Authorization": "Bearer token"}
        request = urllib.request.Request(url, body, headers, method="GET" if body is None else "PUT")
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.read()

    def state(self) -> SweepState:
        return SweepState.model_validate_json(self.call("/v1/state"))

    def put(self, desired: DesiredState) -> SweepState:
        return SweepState.model_validate_json(self.call("/v1/desired", desired.model_dump_json(by_alias=True).encode()))

    def start(self) -> None:
        assigned = self.book.next_trial()
        assert assigned is not None
        self.book.started(*assigned)

    def end(self, **fields: Any) -> None:
        said = TrialResult(process="p", outcome=Outcome.SUCCEEDED, reason=Reason.COMPLETED, **fields)
        self.book.ended(FIRST, {"batch_size": 30, "learning_rate": 0.1}, said)

    def told(self) -> tuple[Any, ...]:
        """What the sweep's status and Events are made of, and the records that the command line gets."""
        state = self.state()
        total = TrialPage.model_validate_json(self.call("/v1/trials")).total
        return state.trials, state.warning_count, state.optimal_trial, state.recent_stops, total


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.open()


@pytest.fixture
def store(tmp_path: Path, gate: Gate) -> SlowStore:
    return SlowStore(tmp_path, gate)


@pytest.fixture
def make_driver(store: SlowStore, gate: Gate) -> Iterator[Callable[..., Driver]]:
    made: list[Driver] = []

    def make(*listeners: Any) -> Driver:
        made.append(Driver(store, *listeners))
        made[0].server.start()
        return made[0]

    yield make
    gate.open()
    made[0].server.stop()


@pytest.fixture
def driver(make_driver: Callable[..., Driver]) -> Driver:
    return make_driver()


def limited(memory: str) -> DesiredState:
    wanted = desired_state(SWEEP)
    return wanted.model_copy(update={"limits": wanted.limits.model_copy(update={"memory": memory})})


def in_time(call: Callable[..., Any], *arguments: Any) -> Any:
    """What a call returns that must not wait at the gate."""
    return begin(call, *arguments).result(PATIENCE)


def report(driver: Driver) -> None:
    driver.book.reported(FIRST, TrialResult(process="p", warnings=[OVER]), 1)


EVENTS: dict[str, tuple[str, Callable[[Driver], Any]]] = {
    "a trial is assigned": (ASSIGNMENTS, lambda driver: driver.book.next_trial()),
    "a trial starts": (ASSIGNMENTS, lambda driver: driver.book.started(FIRST, {"batch_size": 30})),
    "a limit warns": (WARNINGS, report),
    "a trial ends": (TRIALS, lambda driver: driver.end()),
    "a trial ends with a warning": (WARNINGS, lambda driver: driver.end(warnings=[OVER])),
    "the sweep ends": (TRIALS, lambda driver: driver.book.close_open_trials()),
}


@pytest.mark.parametrize("event", EVENTS)
def test_while_the_ledger_is_written_all_are_answered_and_orders_go_out(
    driver: Driver, store: SlowStore, event: str
) -> None:
    slow, happens = EVENTS[event]
    if event == "a trial starts":
        driver.book.next_trial()
    elif event != "a trial is assigned":
        driver.start()
    before = driver.told()
    store.slow = slow
    stuck = begin(happens, driver)
    store.gate.until_reached()

    assert in_time(driver.told) == before, "nothing is said that is not on record"
    assert in_time(driver.call, "/healthz") == b"ok\n"
    assert in_time(driver.put, limited("300Mi")).desired_digest == limited("300Mi").digest()
    in_time(driver.conductor.edit, limited("200Mi"), "200")
    in_time(driver.conductor.turn)
    assert driver.fleet.orders is not None
    assert driver.fleet.orders.desired == limited("200Mi")
    assert in_time(driver.told) == before
    assert not stuck.done()

    store.gate.open()
    stuck.result(PATIENCE)
    assert driver.told() != before


def test_a_trial_is_shown_as_ended_once_its_listeners_know(make_driver: Callable[..., Driver], gate: Gate) -> None:
    driver = make_driver(SlowListener(gate))
    driver.start()
    stuck = begin(driver.end)
    gate.until_reached()
    assert in_time(driver.state).trials.succeeded == 0
    assert len(TrialPage.model_validate_json(in_time(driver.call, "/v1/trials")).records) == 1
    gate.open()
    stuck.result(PATIENCE)
    assert driver.state().trials.succeeded == 1


def test_a_result_is_shown_with_every_end_that_led_to_it(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    progress = driver.book.progress

    def as_the_sweep_ends() -> Progress:
        found = progress()
        driver.end()
        driver.conductor.result = sweep_result(progress())
        return found

    driver.start()
    with monkeypatch.context() as patched:
        patched.setattr(driver.book, "progress", as_the_sweep_ends)
        state = driver.conductor.state()
    assert (state.result, state.trials.succeeded) == (None, 0)
    assert driver.conductor.state().result is not None


def test_edits_take_hold_while_an_earlier_one_is_being_kept(driver: Driver, store: SlowStore) -> None:
    store.slow = desired_file.PATH
    first = begin(driver.put, limited("300Mi"))
    store.gate.until_reached()
    assert in_time(driver.state).desired_digest == "", "the one before is not in force, this one not kept"
    assert driver.book.desired == limited("300Mi")

    second = begin(driver.put, limited("200Mi"))
    eventually(lambda: driver.book.desired == limited("200Mi"), "the second edit", every=0.01)
    assert in_time(driver.call, "/healthz") == b"ok\n"
    assert not first.done()
    assert not second.done()

    store.gate.open()
    first.result(PATIENCE)
    assert second.result(PATIENCE).desired_digest == limited("200Mi").digest()
    assert driver.file.read() == limited("200Mi")


def test_what_is_kept_is_what_is_in_force_whoever_comes_to_keep_it(driver: Driver, store: SlowStore) -> None:
    older, newer = limited("300Mi"), limited("200Mi")
    for edit in (older, newer):
        driver.conductor.edit(edit, edit.digest())
    for _ in (older, newer):
        assert driver.conductor.keep().desired_digest == newer.digest()
        assert driver.file.read() == newer
    assert store.written == [desired_file.PATH]


def test_an_edit_that_is_taken_back_before_it_was_kept_is_not_confirmed_meanwhile(driver: Driver) -> None:
    before, after = limited("300Mi"), limited("200Mi")
    driver.put(before)
    driver.conductor.edit(after, after.digest())
    assert driver.state().desired_digest == "", "an operator that wants the one before would leave it at that"
    assert driver.put(before).desired_digest == before.digest()
    assert (driver.book.desired, driver.file.read()) == (before, before)
