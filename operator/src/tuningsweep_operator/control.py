"""The client of a driver's control API: bounded in time and size, an error is a value, never an exception.

A driver belongs to its user's pod, so nothing it answers is believed before the shared model has checked it.
"""

from dataclasses import dataclass

import aiohttp
from pydantic import ValidationError

from tuningsweep_api.messages import DesiredState, SweepState
from tuningsweep_api.names import CONTROL_DESIRED_PATH, CONTROL_MAX_BODY_BYTES, CONTROL_STATE_PATH
from tuningsweep_operator import metrics


@dataclass(frozen=True, slots=True)
class Answer:
    """What a driver said: its state, or why there is none."""

    state: SweepState | None = None
    error: str = ""


class ControlClient:
    """Talks to drivers; one connection pool for all of them."""

    def __init__(self, timeout_seconds: float) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._session: aiohttp.ClientSession | None = None

    async def state(self, address: str, token: str) -> Answer:
        """The driver's state."""
        return await self._ask("GET", address + CONTROL_STATE_PATH, token, None)

    async def put_desired(self, address: str, token: str, desired: DesiredState) -> Answer:
        """Tell the driver what the sweep should be like; it answers with its state."""
        return await self._ask("PUT", address + CONTROL_DESIRED_PATH, token, desired)

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def _ask(self, method: str, url: str, token: str, desired: DesiredState | None) -> Answer:
        with metrics.POLL_SECONDS.time():
            answer = await self._exchange(method, url, token, desired)
        if answer.state is None:
            metrics.POLL_ERRORS.inc()
        return answer

    async def _exchange(self, method: str, url: str, token: str, desired: DesiredState | None) -> Answer:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        headers = {"Authorization": f"Bearer {token}"}
        body = None if desired is None else desired.dump()
        try:
            async with self._session.request(
                method, url, headers=headers, json=body, allow_redirects=False
            ) as response:
                if response.status != 200:
                    return Answer(error=f"the driver answered with HTTP status {response.status}")
                content = await _read_at_most(response.content, CONTROL_MAX_BODY_BYTES)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Answer(error=f"the driver does not answer: {type(error).__name__}")
        if content is None:
            return Answer(error=f"the driver answered with more than {CONTROL_MAX_BODY_BYTES} bytes")
        try:
            return Answer(state=SweepState.model_validate_json(content))
        except ValidationError as error:
            return Answer(error=f"the driver's answer is not a SweepState: {error.error_count()} errors")


async def _read_at_most(stream: aiohttp.StreamReader, limit: int) -> bytes | None:
    """The whole body, or None if it is longer than `limit` bytes."""
    content = bytearray()
    async for chunk in stream.iter_chunked(65536):
        content += chunk
        if len(content) > limit:
            return None
    return bytes(content)
