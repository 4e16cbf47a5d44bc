"""A trial that waits for its node's data set: seen as held, stopped on request, given up after a while."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from support.sweeps import sweep_manifest
from tuningsweep_api.messages import desired_state
from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.errors import DatasetError
from tuningsweep_trainer.node.access import NodeAccess
from tuningsweep_trainer.node.data import DataState
from tuningsweep_trainer.node.runtime import Orders, RuntimeFolder, TrialStatus
from tuningsweep_trainer.supervisor import waiting
from tuningsweep_trainer.supervisor.reports import Ended
from tuningsweep_trainer.supervisor.waiting import OUTAGE_SECONDS, Hold, wait_for_data

SWEEP = TuningSweep.from_manifest(sweep_manifest())
TRIAL = "trial-0000"


class Node(NodeAccess):
    """Says one state after the other; `told` is what everybody sees of the trial before each."""

    def __init__(self, folder: Path, *states: DataState, before: Callable[[int], None] = lambda _: None) -> None:
        runtime = RuntimeFolder(folder)
        runtime.make()
        super().__init__(runtime, None)
        self.states, self.before = list(states), before
        self.told: list[list[TrialStatus]] = []

    def ask_for_data(self) -> DataState:
        self.told.append(self.runtime.statuses())
        self.before(len(self.told))
        state = self.states.pop(0)
        self.data = state.data
        return state


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """`now` stands until a test moves it; nobody sleeps."""
    made = SimpleNamespace(now=0.0, monotonic=lambda: made.now, sleep=lambda _: None)
    monkeypatch.setattr(waiting, "time", made)
    return made


def failed(times: int) -> DataState:
    return DataState(None, times, "no server answers")


def waited(node: Node) -> Ended | None:
    return wait_for_data(Hold(SWEEP, node.runtime, TRIAL), node)


def test_a_trial_is_held_until_the_data_set_is_there(tmp_path: Path) -> None:
    node = Node(tmp_path, DataState(), failed(1), failed(1), failed(2), DataState({"folder": "/prepared"}))
    assert waited(node) is None
    assert node.data == {"folder": "/prepared"}
    held = [status.held for statuses in node.told for status in statuses]
    assert held[0] == "waits for its node's data set"
    assert held[1] == "waits for its node's data set, which can't be had yet: no server answers"


def test_a_data_set_that_is_there_is_not_asked_for(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.data = {"folder": "/prepared"}
    assert waited(node) is None


def test_a_trial_that_waits_ends_when_it_is_told_to(tmp_path: Path) -> None:
    def stop(asked: int) -> None:
        if asked == 2:
            desired = desired_state(SWEEP).model_copy(update={"stop_trials": [TRIAL]})
            node.runtime.write_orders(Orders(revision=1, desired=desired))

    node = Node(tmp_path, failed(1), failed(1), before=stop)
    ended = waited(node)
    assert ended is not None
    assert ended.ending is not None
    assert (ended.ending.outcome, ended.ending.reason) == (Outcome.STOPPED, Reason.STOP_REQUESTED)


def test_a_driver_that_leaves_takes_the_trial_without_an_ending(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.runtime.write_orders(Orders(revision=1, desired=desired_state(SWEEP), interrupted=True))
    assert waited(node) == Ended(None)


def test_an_outage_that_lasts_is_given_up_after_a_try_that_failed(tmp_path: Path, clock: SimpleNamespace) -> None:
    def pass_time(asked: int) -> None:
        clock.now = {1: 0.0, 2: 0.0, 3: OUTAGE_SECONDS}.get(asked, OUTAGE_SECONDS + 1)

    states = [DataState(), failed(3), failed(4), failed(4), failed(4), failed(5), failed(6)]
    node = Node(tmp_path, *states, before=pass_time)
    with pytest.raises(DatasetError, match="no server answers"):
        waited(node)
    assert node.states == [failed(6)]


def test_a_slow_first_try_is_no_outage(tmp_path: Path, clock: SimpleNamespace) -> None:
    def pass_time(asked: int) -> None:
        clock.now = 2 * OUTAGE_SECONDS if asked > 1 else 0.0

    node = Node(tmp_path, DataState(), failed(1), DataState({"folder": "/prepared"}), before=pass_time)
    assert waited(node) is None
