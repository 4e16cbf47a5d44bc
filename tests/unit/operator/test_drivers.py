"""Contact with a running driver: when a waiting request may begin, what ends it, how silence is measured."""

import asyncio
from datetime import UTC, datetime
from typing import cast

import pytest

from support.patience import PATIENCE
from tuningsweep_api.messages import DesiredState, desired_state
from tuningsweep_api.status import TuningSweepStatus
from tuningsweep_operator.access import ControlAccess
from tuningsweep_operator.control import Answer, ControlClient
from tuningsweep_operator.drivers import Contact, Drivers, news_seconds
from tuningsweep_operator.resources import Key
from tuningsweep_operator.settings import Settings
from tuningsweep_operator.status.observation import Observation
from tuningsweep_operator.work_queue import LONGEST_BACKOFF
from unit.operator.observations import ray_job, state, sweep

ACCESS = ControlAccess("token", b"f" * 32)
KEY: Key = ("team", "digits-svm")
PAUSE = 1.0


def contact() -> Contact:
    return Contact("head.team.svc:8090", ACCESS, 100.0)


def test_a_request_waits_only_with_a_driver_that_gives_a_tag() -> None:
    driver = contact()
    assert not driver.may_listen(100.0)
    driver.read("a", 101.0)
    assert driver.may_listen(101.0)
    driver.read("", 102.0)
    assert not driver.may_listen(102.0)
    assert driver.heard_at == 102.0


def test_news_that_come_at_once_are_waited_for_once_a_pause() -> None:
    driver = contact()
    driver.read("a", 100.0)
    driver.listened(100.0, 100.1, PAUSE, "")
    assert not driver.may_listen(100.9)
    assert driver.may_listen(101.0)
    driver.listened(101.0, 125.0, PAUSE, "")
    assert driver.may_listen(125.0)
    assert driver.heard_at == 125.0


def test_a_request_that_fails_is_no_sign_of_life_and_the_next_one_comes_ever_later() -> None:
    driver = contact()
    driver.read("a", 100.0)
    waits = []
    for _ in range(12):
        driver.listened(100.0, 127.0, PAUSE, "the driver does not answer in time")
        waits.append(driver.listen_at - 127.0)
    assert waits[0] == PAUSE
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_BACKOFF
    assert driver.heard_at == 100.0
    driver.listened(200.0, 224.0, PAUSE, "")
    assert driver.failures == 0


@pytest.mark.parametrize(("silence", "timeout", "seconds"), [(30, 3, 24), (4, 1, 2), (2, 3, 1), (0.5, 0.1, 1)])
def test_a_request_that_is_not_answered_ends_before_the_driver_counts_as_silent(
    silence: float, timeout: float, seconds: int
) -> None:
    assert news_seconds(Settings(driver_silence_seconds=silence, driver_timeout_seconds=timeout)) == seconds


class Client:
    """A driver that is asked; `news` is what its waiting requests are answered with, None for not yet."""

    def __init__(self) -> None:
        self.answer = Answer(state(desiredDigest=desired_state(sweep()).digest()), tag="a")
        self.news_come: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.waits: list[tuple[str, str]] = []
        self.gone = self.told = 0

    async def put_desired(self, address: str, access: ControlAccess, desired: DesiredState) -> Answer:
        self.told += 1
        return Answer(error="the driver answers with HTTP status 507")

    async def state(self, address: str, access: ControlAccess) -> Answer:
        return self.answer

    async def news(self, address: str, access: ControlAccess, known: str, wait_seconds: int) -> Answer:
        self.waits.append((address, known))
        try:
            return await asyncio.shield(self.news_come)
        except asyncio.CancelledError:
            self.gone += 1
            raise


class World:
    """The drivers of one sweep's namespace, and what was made due."""

    def __init__(self) -> None:
        self.client, self.due, self.fence = Client(), list[Key](), 10.0
        settings = Settings(poll_seconds=0.01)
        self.drivers = Drivers(cast("ControlClient", self.client), settings, lambda: self.fence, self.due.append)

    async def ask(self, access: ControlAccess | None = ACCESS, cluster: str = "one") -> Answer:
        facts = Observation(ray_job=ray_job("Running", rayClusterName=cluster))
        answer = await self.drivers.ask(sweep(), TuningSweepStatus(), facts, access, datetime.now(UTC))
        await self.settle()
        return answer

    async def settle(self) -> None:
        await asyncio.sleep(0.05)


def test_one_request_waits_however_often_the_driver_is_asked() -> None:
    async def test() -> None:
        world = World()
        for _ in range(3):
            assert (await world.ask()).state is not None
        assert world.client.waits == [("one-head-svc.team.svc:8090", "a")]
        assert world.drivers.is_listening(KEY)
        assert world.due == []
        world.client.news_come.set_result(Answer(tag="b"))
        await world.settle()
        assert world.due == [KEY]
        assert not world.drivers.is_listening(KEY)

    asyncio.run(test())


def test_what_a_reconcile_has_read_meanwhile_is_no_news() -> None:
    async def test() -> None:
        world = World()
        await world.ask()
        world.client.answer = Answer(world.client.answer.state, tag="b")
        await world.ask()
        done, world.client.news_come = world.client.news_come, asyncio.get_running_loop().create_future()
        done.set_result(Answer(tag="b"))
        await world.settle()
        assert world.due == []
        assert [known for _, known in world.client.waits] == ["a", "b"]
        world.drivers.forget()

    asyncio.run(test())


@pytest.mark.parametrize("how", ["leave", "forget", "error", "no tag", "no token", "another cluster"])
def test_the_request_ends_when_it_is_of_no_more_use(how: str) -> None:
    async def test() -> None:
        world = World()
        await world.ask()
        if how == "leave":
            world.drivers.leave(KEY)
        elif how == "forget":
            world.drivers.forget()
        elif how == "error":
            world.client.answer = Answer(error="no")
            await world.ask()
        elif how == "no tag":
            world.client.answer = Answer(world.client.answer.state)
            await world.ask()
        elif how == "no token":
            assert "token" in (await world.ask(None)).error
        else:
            world.client.answer = Answer(error="not yet")
            await world.ask(cluster="two")
        await world.settle()
        assert world.client.gone == 1
        assert world.due == []
        assert not world.drivers.is_listening(KEY)

    asyncio.run(test())


def test_a_replica_without_the_lease_listens_to_nobody() -> None:
    async def test() -> None:
        world = World()
        world.fence = 0.0
        await world.ask()
        assert world.client.waits == []

    asyncio.run(test())


def test_a_failed_request_makes_the_sweep_due_and_the_driver_goes_on_being_asked_alone() -> None:
    async def test() -> None:
        world = World()
        await world.ask()
        world.client.news_come.set_result(Answer(error="the driver does not answer in time"))
        await world.settle()
        assert world.due == [KEY]
        await world.ask()
        assert not world.drivers.is_listening(KEY), "not before a while has gone by"
        assert len(world.client.waits) == 1

    asyncio.run(test())


def test_a_driver_that_does_not_run_is_not_silent() -> None:
    async def test() -> None:
        world = World()
        assert world.drivers.silence(KEY) == 0.0
        world.client.answer = Answer(error="no")
        await world.ask()
        assert world.drivers.silence(KEY) > 0.0
        world.drivers.leave(KEY)
        assert world.drivers.silence(KEY) == 0.0

    asyncio.run(test())


def test_what_a_driver_says_counts_though_it_does_not_take_an_edit_and_it_is_told_again_soon(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def test() -> None:
        world = World()
        await world.ask()
        world.client.answer = Answer(state(desiredDigest="old"), tag="b")
        world.drivers._contacts[KEY].heard_at -= 2 * PATIENCE
        for _ in range(2):
            answer = await world.ask()
            assert answer.state is not None
            assert answer.state.desired_digest == "old"
            assert not world.drivers.is_listening(KEY), "nothing would make it due"
        assert world.drivers.silence(KEY) < PATIENCE
        assert world.client.told == 2
        assert caplog.text.count("does not confirm an edit") == 1

    asyncio.run(test())
