"""Who waits for news of a sweep: how long, how many, and what counts as news."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tuningsweep_api.messages import SweepState
from tuningsweep_api.trials import TrialCounts
from tuningsweep_trainer.driver.news import LONGEST_WAIT_SECONDS, MOST_WAITING, News, seconds_to_wait

STATE = SweepState(sweep_uid="u", driver_id="d", start_time="", desired_digest="x", trials=TrialCounts(total=7))
NEWER = STATE.model_copy(update={"trials": TrialCounts(total=8)})
LONG = 3600.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([], 0.0),
        (["wait=24"], 24.0),
        (["respond-async, Wait = 5;x"], 5.0),
        (["respond-async", 'wait="7"'], 7.0),
        (["wait=3600"], LONGEST_WAIT_SECONDS),
        (["wait=-1"], 0.0),
        (["wait=soon"], 0.0),
        (["wait=1e9", "await=3"], 0.0),
        (["wait=" + "9" * 400], 0.0),
    ],
)
def test_the_preference_to_wait(headers: list[str], seconds: float) -> None:
    assert seconds_to_wait(headers) == seconds


class Driver:
    """A state that a test changes."""

    def __init__(self) -> None:
        self.now = STATE
        self.looked = 0
        self.news = News(self.state)

    def state(self) -> SweepState:
        self.looked += 1
        return self.now


def run(test: Callable[[Driver], Awaitable[None]]) -> None:
    async def guarded() -> None:
        async with asyncio.timeout(60):
            await test(Driver())

    asyncio.run(guarded())


def test_all_who_know_the_older_state_get_the_newer_one_which_is_read_once() -> None:
    async def test(driver: Driver) -> None:
        waiting = [asyncio.create_task(driver.news.other_than(STATE.tag(), LONG)) for _ in range(3)]
        knows = asyncio.create_task(driver.news.other_than(NEWER.tag(), LONG))
        await asyncio.sleep(0)
        driver.now = NEWER
        driver.news.look()
        driver.news.look()
        assert await asyncio.gather(*waiting) == [NEWER] * 3
        assert not knows.done()
        assert driver.looked == 2
        driver.news.close()
        assert await knows is None

    run(test)


def test_nobody_who_waits_costs_nothing() -> None:
    async def test(driver: Driver) -> None:
        driver.news.look()
        assert driver.looked == 0

    run(test)


def test_a_wait_ends_in_time_and_one_too_many_does_not_begin() -> None:
    async def test(driver: Driver) -> None:
        assert await driver.news.other_than(STATE.tag(), 0.0) is None
        assert await driver.news.other_than(STATE.tag(), 0.01) is None
        waiting = [asyncio.create_task(driver.news.other_than(STATE.tag(), LONG)) for _ in range(MOST_WAITING)]
        await asyncio.sleep(0)
        assert await driver.news.other_than(STATE.tag(), LONG) is None
        waiting[0].cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        another = asyncio.create_task(driver.news.other_than(STATE.tag(), LONG))
        await asyncio.sleep(0)
        assert not another.done(), "there is room again"
        driver.news.close()
        assert await asyncio.gather(another, *waiting[1:]) == [None] * MOST_WAITING
        assert await driver.news.other_than(STATE.tag(), LONG) is None

    run(test)
