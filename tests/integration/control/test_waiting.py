"""Requests that wait for news, over real sockets and TLS: the driver's own server, the operator's client and listeners."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from support.control_api import STATE, Conductor, access_to, mounted, serving
from support.patience import PATIENCE
from support.served import served
from tuningsweep_api import names
from tuningsweep_api.status import TuningSweepStatus
from tuningsweep_api.trials import RunningTrial, TrialCounts
from tuningsweep_operator import drivers
from tuningsweep_operator.access import ControlAccess
from tuningsweep_operator.certificates import KeyPair, make_key_pair
from tuningsweep_operator.control import ControlClient
from tuningsweep_operator.drivers import Drivers
from tuningsweep_operator.resources import Key
from tuningsweep_operator.settings import Settings
from tuningsweep_operator.status.observation import Observation
from tuningsweep_operator.work_queue import FIRST_BACKOFF
from tuningsweep_trainer.driver import news
from tuningsweep_trainer.driver.news import MOST_WAITING
from unit.operator.observations import METADATA, ray_job, sweep

GUARD_SECONDS = PATIENCE
LONG = 3600
KEY: Key = ("team", "digits-svm")
SETTINGS = Settings(driver_silence_seconds=3600, poll_seconds=0.05)
MORE = TrialCounts(total=8)


@pytest.fixture(scope="module")
def pair() -> KeyPair:
    return make_key_pair("digits-svm.team.svc", datetime.now(UTC))


@pytest.fixture
def driver(tmp_path: Path, pair: KeyPair, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Conductor]]:
    monkeypatch.setattr(news, "LONGEST_WAIT_SECONDS", float(LONG))
    with serving(mounted(tmp_path, pair)) as (address, conductor):
        conductor.now = STATE.model_copy(update={"sweep_uid": METADATA["metadata.uid"]})
        yield address, conductor


@asynccontextmanager
async def connected() -> AsyncIterator[ControlClient]:
    client = ControlClient(PATIENCE, lambda: PATIENCE, patience_seconds=PATIENCE)
    try:
        async with asyncio.timeout(GUARD_SECONDS):
            yield client
    finally:
        await client.close()


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(GUARD_SECONDS):
        while not what():  # noqa: ASYNC110 - what is waited for is in another thread
            await asyncio.sleep(0.01)


def test_a_request_waits_until_there_are_news(driver: tuple[str, Conductor], pair: KeyPair) -> None:
    address, conductor = driver
    access = access_to(pair)

    async def talk() -> None:
        async with connected() as client:
            known = (await client.state(address, access)).tag
            assert known == conductor.now.tag()
            waiting = asyncio.create_task(client.news(address, access, known, LONG))
            asked = len(conductor.asked)
            await until(lambda: len(conductor.asked) > asked)
            conductor.turn()
            conductor.turn(running=[RunningTrial(trial="trial-0000", parameters={}, start_time="")])
            await asyncio.sleep(0.3)
            assert not waiting.done(), "a turn without news lets nobody go"
            conductor.turn(trials=MORE)
            assert (await waiting).tag == conductor.now.tag() != known

    asyncio.run(talk())


def test_who_knows_an_older_state_is_answered_at_once_and_who_waits_in_vain_is_told_so(
    driver: tuple[str, Conductor], pair: KeyPair
) -> None:
    address, conductor = driver

    async def talk() -> None:
        async with connected() as client:
            assert (await client.news(address, access_to(pair), "older", LONG)).tag == conductor.now.tag()
            in_vain = await client.news(address, access_to(pair), conductor.now.tag(), 1)
            assert (in_vain.tag, in_vain.error) == (conductor.now.tag(), "")
            assert "401" in (await client.news(address, access_to(pair, "wrong"), "older", LONG)).error

    asyncio.run(talk())


def test_waiting_requests_are_bounded_and_those_whose_client_has_gone_make_room(
    driver: tuple[str, Conductor], pair: KeyPair
) -> None:
    address, conductor = driver
    known = conductor.now.tag()

    async def talk() -> None:
        async with connected() as client:
            asked = len(conductor.asked)
            waiting = [
                asyncio.create_task(client.news(address, access_to(pair), known, LONG)) for _ in range(MOST_WAITING)
            ]
            await until(lambda: len(conductor.asked) == asked + MOST_WAITING)
            assert (await client.news(address, access_to(pair), known, LONG)).tag == known, "one too many"
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            room = asyncio.create_task(client.news(address, access_to(pair), known, LONG))
            while (await asyncio.wait({room}, timeout=0.3))[
                0
            ]:  # the server has not yet noticed that the others have gone
                room = asyncio.create_task(client.news(address, access_to(pair), known, LONG))
            conductor.turn(trials=MORE)
            assert (await room).tag != known

    asyncio.run(talk())


def test_a_driver_that_leaves_keeps_nobody_waiting(tmp_path: Path, pair: KeyPair) -> None:
    async def talk() -> None:
        async with connected() as client:
            with ExitStack() as stack:
                address, conductor = stack.enter_context(serving(mounted(tmp_path, pair)))
                known = conductor.now.tag()
                waiting = asyncio.create_task(client.news(address, access_to(pair), known, LONG))
                await until(lambda: bool(conductor.asked))
                await asyncio.to_thread(stack.close)
            assert (await waiting).tag in {known, ""}, "it was let go, or never came in"

    asyncio.run(talk())


class Operator:
    """The part of the operator that listens: one sweep, and how often it was made due."""

    def __init__(self, client: ControlClient, address: str, access: ControlAccess) -> None:
        self.due: list[Key] = []
        self.drivers = Drivers(client, SETTINGS, lambda: 60.0, self.due.append)
        self.access = access
        host, port = address.split(":")
        head = {"head": {"serviceName": host}}
        self.facts = Observation(ray_job=ray_job("Running", rayClusterStatus=head))
        self.port = int(port)

    async def ask(self) -> str:
        """One look at the driver, as a reconcile takes it; its error."""
        now = datetime.now(UTC)
        return (await self.drivers.ask(sweep(), TuningSweepStatus(), self.facts, self.access, now)).error


@pytest.fixture
def on_loopback(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Where the head service of the sweep is."""
    return lambda address: monkeypatch.setattr(drivers, "driver_address", lambda *_: address)


def test_the_operator_hears_of_news_without_asking_and_asks_no_more_than_that(
    driver: tuple[str, Conductor], pair: KeyPair, on_loopback: Callable[[str], None]
) -> None:
    address, conductor = driver
    on_loopback(address)

    async def talk() -> None:
        async with connected() as client:
            operator = Operator(client, address, access_to(pair))
            assert await operator.ask() == ""  # tells the driver what to do, too
            assert operator.drivers.is_listening(KEY)
            await asyncio.sleep(0.3)
            assert operator.due == [], "what it told the driver itself is no news"
            for number in (8, 9):
                due = len(operator.due)
                conductor.turn(trials=TrialCounts(total=number))
                await until(lambda due=due: len(operator.due) > due)  # type: ignore[misc]
                assert not operator.drivers.is_listening(KEY)
                await asyncio.sleep(2 * SETTINGS.poll_seconds)
                assert await operator.ask() == ""
                assert operator.drivers.is_listening(KEY)
            operator.drivers.leave(KEY)
            conductor.turn(trials=TrialCounts(total=10))
            await asyncio.sleep(0.3)
            assert len(operator.due) == 2, "nobody listens to a driver that was left"

    asyncio.run(talk())


def test_the_operator_does_not_wait_with_a_driver_that_gives_no_tag(on_loopback: Callable[[str], None]) -> None:
    async def answer(_: web.Request) -> web.Response:
        state = STATE.model_copy(update={"sweep_uid": METADATA["metadata.uid"]})
        return web.json_response(text=state.model_dump_json(by_alias=True))

    async def talk(address: str) -> None:
        async with connected() as client:
            operator = Operator(client, address, ControlAccess("token", None))
            for _ in range(2):
                assert await operator.ask() == ""
                assert not operator.drivers.is_listening(KEY)

    application = web.Application()
    application.router.add_get(names.CONTROL_STATE_PATH, answer)
    application.router.add_put(names.CONTROL_DESIRED_PATH, answer)
    with served(application) as port:
        on_loopback(f"127.0.0.1:{port}")
        asyncio.run(talk(f"127.0.0.1:{port}"))


@pytest.mark.parametrize("kind", ["error", "nonsense", "news", "nothing new"])
def test_a_driver_that_does_not_wait_as_it_should_is_not_asked_in_a_tight_loop(
    kind: str, on_loopback: Callable[[str], None]
) -> None:
    waits = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal waits
        waited = request.method == "HEAD"
        waits += waited
        if waited and kind == "error":
            return web.Response(status=500)
        if waited and kind == "nothing new":
            return web.Response(status=304, headers={"ETag": '"same"'})
        state = STATE.model_copy(update={"sweep_uid": METADATA["metadata.uid"]})
        tag = {"nonsense": "\\ü", "news": f'"{waits}"'}[kind] if waited else '"same"'
        return web.json_response(text=state.model_dump_json(by_alias=True), headers={"ETag": tag})

    async def talk(address: str) -> None:
        async with connected() as client:
            operator = Operator(client, address, ControlAccess("token", None))
            while waits < 1 or time.monotonic() < started + 2.0:  # a queue that works on what is due at once
                assert await operator.ask() == ""
                await asyncio.sleep(0.01)
            operator.drivers.forget()

    application = web.Application()
    application.router.add_get(names.CONTROL_STATE_PATH, answer)
    application.router.add_put(names.CONTROL_DESIRED_PATH, answer)
    with served(application) as port:
        on_loopback(f"127.0.0.1:{port}")
        started = time.monotonic()
        asyncio.run(talk(f"127.0.0.1:{port}"))
    pause = FIRST_BACKOFF if kind == "error" else SETTINGS.poll_seconds
    assert 1 <= waits <= 1 + (time.monotonic() - started) / pause
