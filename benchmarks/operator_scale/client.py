"""Makes objects through a pool of connections and sees when they are acted on.

Runs in a process of its own, so that it takes no time from what is measured.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Final

import aiohttp

from benchmarks.operator_scale.objects import Request
from tuningsweep_operator.resources import Manifest

CONNECTIONS: Final = 32
PATIENCE_SECONDS: Final = 900.0
NO_TIMEOUT: Final = aiohttp.ClientTimeout(total=None)
_NAME: Final = re.compile(rb'"name":"(bench-\d+)"')


@dataclass(frozen=True, slots=True)
class Access:
    """Where the API server is, and the token it is told."""

    url: str
    token: str

    def session(self) -> aiohttp.ClientSession:
        """A pool of connections; the server's certificate is its own."""
        connector = aiohttp.TCPConnector(ssl=False, limit=0)
        return aiohttp.ClientSession(self.url, headers={"Authorization": f"Bearer {self.token}"}, connector=connector)


@dataclass(frozen=True, slots=True)
class Sign:
    """What is waited for: objects of a collection with a text in their JSON form."""

    path: str
    text: bytes


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds from the first request: until the last was answered, and until the last object showed each sign."""

    created: float
    shown: list[float]


def load(access: Access, count: int, make: Callable[[int], list[Request]], signs: list[Sign]) -> Timings:
    """Make `count` objects and wait until all of them show every sign; TimeoutError after PATIENCE_SECONDS."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_load, access, count, make, signs).result()


def _load(access: Access, count: int, make: Callable[[int], list[Request]], signs: list[Sign]) -> Timings:
    return asyncio.run(asyncio.wait_for(_loaded(access, count, make, signs), PATIENCE_SECONDS))


async def _loaded(access: Access, count: int, make: Callable[[int], list[Request]], signs: list[Sign]) -> Timings:
    async with access.session() as session, asyncio.TaskGroup() as group:
        watches = [group.create_task(_all_show(session, sign, count)) for sign in signs]
        started = time.monotonic()
        await _send_all(session, count, make)
        created = time.monotonic() - started
        return Timings(created, [await watch - started for watch in watches])


async def _send_all(session: aiohttp.ClientSession, count: int, make: Callable[[int], list[Request]]) -> None:
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            for request in make(number):
                await send(session, request)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(CONNECTIONS, count)):
            group.create_task(work())


async def send(session: aiohttp.ClientSession, request: Request) -> None:
    """Send a request; RuntimeError if it is refused."""
    method, path, body = request
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
    async with session.request(method, path, json=body, headers={"Content-Type": kind}) as response:
        content = await response.read()
        if response.status >= 300:
            raise RuntimeError(f"{method} {path}: {response.status} {content[:500].decode()}")


async def _all_show(session: aiohttp.ClientSession, sign: Sign, count: int) -> float:
    """When the `count`-th object showed the sign, time.monotonic(). Events are searched, not parsed, which costs less."""
    seen: set[bytes] = set()
    async for event in events(session, sign.path):
        if sign.text in event and (found := _NAME.search(event)):
            seen.add(found[1])
            if len(seen) >= count:
                break
    return time.monotonic()


async def events(session: aiohttp.ClientSession, path: str) -> AsyncIterator[bytes]:
    """What a watch of a collection shows, each event as JSON, without an end."""
    while True:  # a watch may end at any time; the next one begins with everything there is
        async with session.get(path, params={"watch": "1"}, timeout=NO_TIMEOUT, raise_for_status=True) as response:
            rest = b""
            async for chunk in response.content.iter_any():
                *whole, rest = (rest + chunk).split(b"\n")
                for event in whole:
                    yield event


async def items(session: aiohttp.ClientSession, path: str) -> list[Manifest]:
    """All objects of a collection."""
    async with session.get(path, raise_for_status=True) as response:
        return list((await response.json())["items"])
