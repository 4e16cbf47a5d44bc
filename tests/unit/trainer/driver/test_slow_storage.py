"""A driver whose storage keeps it waiting: everybody but Tune goes on, and sees nothing that is not yet on record."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from support.patience import PATIENCE, eventually
from support.slow_storage import FIRST, SWEEP, Driver, Gate, SlowListener, SlowStore
from tuningsweep_api.messages import DesiredState, TrialPage, desired_state
from tuningsweep_api.outcomes import Reason
from tuningsweep_trainer.driver.live import Progress
from tuningsweep_trainer.driver.state import sweep_result
from tuningsweep_trainer.node.runtime import Warned
from tuningsweep_trainer.results import desired as desired_file
from tuningsweep_trainer.results.ledger import ASSIGNMENTS, TRIALS, WARNINGS
from tuningsweep_trainer.supervisor.result import TrialResult

begin = ThreadPoolExecutor(8).submit
OVER = Warned(reason=Reason.MEMORY_LIMIT_EXCEEDED, observed=2.0, limit=1.0)


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
