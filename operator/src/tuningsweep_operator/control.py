"""The client of a driver's control API: bounded in time and size, an error is a value, never an exception.

A driver belongs to its user's pod, so nothing it answers is believed before the shared model has checked it. One that is
silent is waited for aside, so that any number of them leaves the workers of the queue to the other sweeps.
"""

import asyncio
import re
from asyncio import sslproto
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
from pydantic import ValidationError

from tuningsweep_api.messages import DesiredState, SweepState
from tuningsweep_api.names import CONTROL_DESIRED_PATH, CONTROL_MAX_BODY_BYTES, CONTROL_STATE_PATH
from tuningsweep_operator import metrics
from tuningsweep_operator.access import ControlAccess
from tuningsweep_operator.lease import Fence

TLS_BUFFER_BYTES: Final = 32 << 10
"""Read buffer of a TLS connection; asyncio's own of 256 KiB would be 250 MiB with a thousand drivers."""
PATIENCE_SECONDS: Final = 0.5
"""Longest that a reconcile waits for a driver's state; one that is well needs a few milliseconds."""
_ETAG: Final = re.compile(r'"([!#-~]{1,64})"')
NO_ANSWER: Final = "the driver does not answer in time"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a driver said: its state, or why there is none."""

    state: SweepState | None = None
    error: str = ""
    tag: str = ""
    """Of the driver's state, by the driver's account; empty from one that can't wait for news."""


@dataclass(frozen=True, slots=True)
class _Question:
    """A request to a driver, which may take so many seconds."""

    method: str
    location: str
    seconds: float
    headers: Mapping[str, str] = field(default_factory=dict)
    body: dict[str, Any] | None = None


class ControlClient:
    """Talks to drivers; one connection pool for all of them. Only who may write tells them anything."""

    def __init__(self, timeout_seconds: float, fence: Fence, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._seconds = timeout_seconds
        self._patience = patience_seconds
        self._fence = fence
        self._session: aiohttp.ClientSession | None = None
        self._asked: dict[tuple[str, ControlAccess], asyncio.Task[Answer]] = {}
        """Questions whose answers are still to come, or to be fetched."""
        sslproto.SSLProtocol.max_size = TLS_BUFFER_BYTES  # asyncio has no other way to set it

    async def state(self, address: str, access: ControlAccess) -> Answer:
        """The driver's state; that of a driver which takes its time is what the next call returns."""
        driver = (address, access)
        task = self._asked.get(driver)
        if task is None:
            question = _Question("GET", address + CONTROL_STATE_PATH, self._seconds)
            task = self._asked[driver] = asyncio.create_task(self._ask(question, access))
            task.add_done_callback(lambda asked: self._keep_a_while(driver, asked))
            await asyncio.wait({task}, timeout=self._patience)
        if not task.done():
            return Answer(error=NO_ANSWER)
        self._forget(driver, task)
        return task.result()

    async def put_desired(self, address: str, access: ControlAccess, desired: DesiredState) -> Answer:
        """Tell the driver what the sweep should be like; it answers with its state."""
        seconds = min(self._seconds, self._fence())
        if seconds <= 0.0:
            return Answer(error="the driver was not told: this replica does not hold the lease")
        return await self._ask(_Question("PUT", address + CONTROL_DESIRED_PATH, seconds, body=desired.dump()), access)

    async def news(self, address: str, access: ControlAccess, known: str, wait_seconds: int) -> Answer:
        """Wait until the driver's state has another tag than `known`, or so long; the tag it has then, without the state."""
        headers = {"If-None-Match": f'"{known}"', "Prefer": f"wait={wait_seconds}"}
        question = _Question("HEAD", address + CONTROL_STATE_PATH, wait_seconds + self._seconds, headers)
        answer = await self._exchange(question, access)
        if answer.error:
            metrics.POLL_ERRORS.inc()
        return answer

    def _keep_a_while(self, driver: tuple[str, ControlAccess], task: asyncio.Task[Answer]) -> None:
        """An answer that nobody fetches soon would tell of a past that has gone by."""
        asyncio.get_running_loop().call_later(self._seconds, self._forget, driver, task)

    def _forget(self, driver: tuple[str, ControlAccess], task: asyncio.Task[Answer]) -> None:
        if self._asked.get(driver) is task:
            del self._asked[driver]

    async def close(self) -> None:
        """Close all connections."""
        for task in self._asked.values():
            task.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _ask(self, question: "_Question", access: ControlAccess) -> Answer:
        with metrics.POLL_SECONDS.time():
            answer = await self._exchange(question, access)
        if answer.state is None:
            metrics.POLL_ERRORS.inc()
        return answer

    async def _exchange(self, question: "_Question", access: ControlAccess) -> Answer:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))  # one waits with each driver
        url = f"{access.scheme}://{question.location}"
        timeout = aiohttp.ClientTimeout(total=question.seconds)
        headers = {"Authorization": f"Bearer {access.token}", **question.headers}
        pinned = True if access.fingerprint is None else _Pin(access.fingerprint)
        try:
            async with self._session.request(
                question.method,
                url,
                headers=headers,
                json=question.body,
                allow_redirects=False,
                ssl=pinned,
                timeout=timeout,
            ) as response:
                return await _read(response)
        except aiohttp.ServerFingerprintMismatch:
            return Answer(error="what answers does not have the certificate in the sweep's Secret, it was told nothing")
        except aiohttp.ClientSSLError:
            return Answer(
                error="the driver speaks no TLS; build cluster.image from the operator's version of the trainer"
            )
        except TimeoutError:
            return Answer(error=NO_ANSWER)
        except (aiohttp.ClientError, OSError) as error:
            return Answer(error=f"the driver does not answer: {type(error).__name__}")


class _Pin(aiohttp.Fingerprint):
    """The one certificate that may be shown, checked before the request is sent.

    Equal for equal certificates: the connection pool goes by it.
    """

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Pin) and other.fingerprint == self.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)


async def _read(response: aiohttp.ClientResponse) -> Answer:
    tag = _tag(response.headers.get("ETag", ""))
    if response.method == "HEAD" and response.status in (200, 304):
        return Answer(tag=tag)
    if response.status != 200:
        return Answer(error=f"the driver answered with HTTP status {response.status}")
    content = await _read_at_most(response.content, CONTROL_MAX_BODY_BYTES)
    if content is None:
        return Answer(error=f"the driver answered with more than {CONTROL_MAX_BODY_BYTES} bytes")
    try:
        return Answer(state=SweepState.read(content), tag=tag)
    except ValidationError as error:
        return Answer(error=f"the driver's answer is not a SweepState: {error.error_count()} errors")


def _tag(header: str) -> str:
    """The tag in an ETag header; empty if it is none that is sent back as it is."""
    found = _ETAG.fullmatch(header)
    return "" if found is None else found[1]


async def _read_at_most(stream: aiohttp.StreamReader, limit: int) -> bytes | None:
    """The whole body, or None if it is longer than `limit` bytes."""
    content = bytearray()
    async for chunk in stream.iter_chunked(65536):
        content += chunk
        if len(content) > limit:
            return None
    return bytes(content)
