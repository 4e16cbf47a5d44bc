"""What a watch of the API server sends, made fit for kopf, which ends the whole operator over whatever it does not expect.

The handlers put it between kopf and every watch. An error in the stream (but 410, which kopf knows), a line that is no event
and a stream that ends at once are told about and end the watch: after a pause, longer each time, it goes on. Much as
client-go's reflector does.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import aiohttp
import pydantic_core

from tuningsweep_operator import metrics

EXPIRED: Final = 410
LIST_ANEW: Final = b'{"type": "ERROR", "object": {"code": 410}}\n'
"""What kopf answers with a new list."""
SHORT_SECONDS: Final = 1.0
"""A watch that ends sooner and has shown nothing is no ordinary one: the API server is asked to keep it for minutes."""
FORGIVEN_SECONDS: Final = 120.0
"""A watch that was well for so long starts again with the shortest pause."""
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0
"""Less than kopf waits for a sign of a watch (70 s)."""

log = logging.getLogger(__name__)


def trouble_in(line: bytes) -> str | None:
    """Why a line of a watch can't be given to kopf; None if it can."""
    try:
        event = pydantic_core.from_json(line)
    except ValueError as error:
        return f"a line is no JSON: {error}"
    match event:
        case {"type": "ERROR", "object": {"code": code, **status}}:
            return None if code == EXPIRED else f"error {code}: {status.get('message', status.get('reason', ''))}"
        case {"type": "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK", "object": {"metadata": {}}}:
            return None
    return f"a line is no event: {line[:100]!r}"


class Pauses:
    """How long to wait before each watch goes on; by its path, time is an argument."""

    def __init__(self) -> None:
        self._failures: dict[str, tuple[int, float]] = {}

    def failed(self, path: str, now: float) -> float:
        """A watch has failed; seconds to wait."""
        failures, last = self._failures.get(path, (0, now))
        failures = 1 if now - last > FORGIVEN_SECONDS else failures + 1
        self._failures[path] = failures, now
        return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (failures - 1))


class WatchContent:
    """The content of a watch's response, as far as kopf reads it."""

    def __init__(
        self, content: aiohttp.StreamReader, path: str, pauses: Pauses, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._content, self._path, self._pauses, self._clock = content, path, pauses, clock

    def __getattr__(self, name: str) -> Any:  # the response itself closes it, among others
        return getattr(self._content, name)

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """Whole lines with events, as they come; after trouble, what makes kopf list anew."""
        began, shown = self._clock(), False
        try:
            async for line in _whole_lines(self._content, size):
                trouble = trouble_in(line)
                if trouble is not None:
                    await self._pause(trouble)
                    yield LIST_ANEW
                    return
                shown = True
                yield line + b"\n"
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
            ended = repr(error)  # kopf would go on at once
        else:
            ended = "it ended"
        if not shown and self._clock() - began < SHORT_SECONDS:
            await self._pause(f"{ended} within {SHORT_SECONDS:g} s and has shown nothing")

    async def _pause(self, trouble: str) -> None:
        metrics.WATCH_ERRORS.labels(self._path.rsplit("/", 1)[-1]).inc()
        seconds = self._pauses.failed(self._path, self._clock())
        log.warning("the watch %s failed and goes on in %g s: %s", self._path, seconds, trouble)
        await asyncio.sleep(seconds)


async def _whole_lines(content: aiohttp.StreamReader, size: int) -> AsyncIterator[bytes]:
    """Lines without their ends. One that was cut short by the end of the stream is left out: its event comes again."""
    rest = b""
    async for chunk in content.iter_chunked(size):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line:
                yield line


def fit(response: aiohttp.ClientResponse, pauses: Pauses, kinds: frozenset[str]) -> None:
    """Put it into the response of a watch; ClientConnectionError, for kopf to ask again, if it is not of an API server.

    Also for a list or watch of `kinds` (plurals) that are no longer there: until kopf has seen that their CRD was deleted,
    and ends the watch. An answer of 404 would end the operator, or leave it behind without a watch.
    """
    if response.status == 404 and response.url.path.rsplit("/", 1)[-1] in kinds:
        response.close()
        raise aiohttp.ClientConnectionError(f"nothing is served at {response.url.path}: its CRD is gone")
    if response.status != 200 or response.url.query.get("watch") != "true":
        return
    if response.content_type != "application/json":
        response.close()
        raise aiohttp.ClientConnectionError(f"what answers is no API server: it sends {response.content_type}")
    response.content = WatchContent(response.content, response.url.path, pauses)  # type: ignore[assignment]
