"""Head pods that give no answer of any kind hold up nobody who asks them."""

import asyncio
import socket
import threading
from collections.abc import Callable

import pytest
from aiohttp import web

from support.fake_driver import silent_port
from support.patience import PATIENCE
from support.served import served
from tuningsweep_api import names
from tuningsweep_api.messages import SweepState
from tuningsweep_operator.access import ControlAccess
from tuningsweep_operator.control import NO_ANSWER, Answer, ControlClient

ACCESS = ControlAccess("token", None)
STATE = {"sweepUid": "uid", "driverId": "one", "startTime": "2026-01-01T00:00:00Z", "desiredDigest": "", "trials": {}}
NEVER = 3600.0
GUARD_SECONDS = PATIENCE


def connections(listener: socket.socket) -> int:
    """How many were opened and not yet accepted."""
    listener.setblocking(False)
    count = 0
    try:
        while True:
            listener.accept()[0].close()
            count += 1
    except BlockingIOError:
        return count


def ask(
    port: int, times: int, seconds: float, pause: float = 0.0, after: Callable[[], None] = lambda: None
) -> list[Answer]:
    """The answers to questions one after the other, with a call and a pause after each."""

    async def run() -> list[Answer]:
        client, answers = ControlClient(seconds, lambda: 60.0, patience_seconds=0.01), []
        try:
            async with asyncio.timeout(GUARD_SECONDS):
                for _ in range(times):
                    answers.append(await client.state(f"127.0.0.1:{port}", ACCESS))
                    after()
                    for _ in range(20):  # in pieces, for what else is due has its turn if the machine stands still
                        await asyncio.sleep(pause / 20)
        finally:
            await client.close()
        return answers

    return asyncio.run(run())


@pytest.mark.parametrize("full", [False, True])
def test_who_asks_is_not_kept_waiting(*, full: bool) -> None:
    with silent_port(full=full) as listener:
        assert ask(listener.getsockname()[1], 20, NEVER) == [Answer(error=NO_ANSWER)] * 20
        if not full:
            assert connections(listener) == 1, "one question is under way at a time"


@pytest.mark.parametrize("full", [False, True])
def test_a_question_is_given_up_and_asked_anew_in_the_same_words(*, full: bool) -> None:
    with silent_port(full=full) as listener:
        answers = ask(listener.getsockname()[1], 4, 0.6, pause=0.4)
        assert answers == [Answer(error=NO_ANSWER)] * 4
        if not full:
            assert 2 <= connections(listener) <= 4


class SlowDriver:
    """A control API that thinks about each question until it is told to answer."""

    def __init__(self) -> None:
        self.asked = 0
        self.told = threading.Event()
        self.application = web.Application()
        self.application.router.add_get(names.CONTROL_STATE_PATH, self._answer)

    async def _answer(self, _: web.Request) -> web.Response:
        self.asked += 1
        while not self.told.is_set():  # noqa: ASYNC110 - it is set in another thread
            await asyncio.sleep(0.01)
        self.told.clear()
        return web.json_response(STATE)


def test_a_slow_answer_is_fetched_by_a_later_call() -> None:
    with served((driver := SlowDriver()).application) as port:
        first, second = ask(port, 2, NEVER, pause=2.0, after=driver.told.set)
    assert first == Answer(error=NO_ANSWER)
    assert second.state == SweepState.model_validate(STATE)
    assert driver.asked == 1


def test_an_answer_that_nobody_fetched_is_forgotten() -> None:
    with served((driver := SlowDriver()).application) as port:
        answers = ask(port, 2, 0.5, pause=2.0, after=driver.told.set)
    assert answers == [Answer(error=NO_ANSWER)] * 2, "it would tell of a past that has gone by"
    assert driver.asked == 2
