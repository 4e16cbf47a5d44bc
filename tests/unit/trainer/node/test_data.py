"""A node's data set: one try for the preflight, tries with growing pauses for trials, a word on an outage and on its end."""

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from support.patience import eventually
from tuningsweep_trainer.errors import DatasetError
from tuningsweep_trainer.node.data import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, DataState, NodeData

PREPARED = {"folder": "/prepared"}


class Source:
    """Fails until told otherwise; `now` is the clock of whoever asks it."""

    def __init__(self) -> None:
        self.away, self.tries, self.now = True, 0, 1000.0
        self.data = NodeData(self.prepare, lambda: self.now)

    def prepare(self) -> dict[str, Any]:
        self.tries += 1
        if self.away:
            raise DatasetError("no server answers")
        return PREPARED

    def asked(self, check: Callable[[DataState], object]) -> DataState:
        """What is said, asked again and again, once the check holds."""

        def state() -> DataState | None:
            found = self.data.state()
            return found if check(found) else None

        return eventually(state, "the state", every=0.005)


@pytest.fixture
def source() -> Source:
    return Source()


def test_a_single_try_raises_what_is_wrong(source: Source) -> None:
    with pytest.raises(DatasetError, match="no server answers"):
        source.data.now()
    assert source.tries == 1
    source.away = False
    assert source.data.now() == source.data.now() == PREPARED
    assert source.tries == 2


def test_tries_go_on_with_growing_pauses_and_only_while_somebody_asks(source: Source) -> None:
    pauses = []
    for failures in range(1, 9):
        assert source.asked(lambda state, n=failures: state.failures == n) == DataState(
            None, failures, "no server answers"
        )
        source.data._thread.join()
        pauses.append(source.data._not_before - source.now)
        source.now = source.data._not_before - 0.001
        for _ in range(10):
            source.data.state()
        assert source.tries == failures
        source.now = source.data._not_before
        assert source.tries == failures
    assert pauses[:3] == [FIRST_PAUSE_SECONDS, 2 * FIRST_PAUSE_SECONDS, 4 * FIRST_PAUSE_SECONDS]
    assert pauses[-1] == LONGEST_PAUSE_SECONDS


def test_an_outage_is_logged_once_and_so_is_its_end(source: Source, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for failures in (1, 2):
        source.asked(lambda state, n=failures: state.failures == n)
        source.now += LONGEST_PAUSE_SECONDS
    source.away = False
    assert source.asked(lambda state: state.data) == DataState(PREPARED)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert "no server answers" in caplog.messages[0]
    assert "after 2 failures" in caplog.messages[1]


def test_who_asks_waits_for_no_try_and_starts_no_second_one() -> None:
    going_on, tries = threading.Event(), []

    def slow() -> dict[str, Any]:
        tries.append("one")
        going_on.wait()
        return PREPARED

    data = NodeData(slow)
    assert [data.state() for _ in range(5)] == [DataState()] * 5
    going_on.set()
    assert data.now() == PREPARED
    assert tries == ["one"]


def test_what_nobody_has_thought_of_is_a_failure_too() -> None:
    def fails() -> dict[str, Any]:
        raise KeyError

    data = NodeData(fails)
    assert eventually(lambda: data.state().why, "it has failed", every=0.005) == "KeyError"
