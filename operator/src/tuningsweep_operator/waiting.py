"""Waiting that a cancellation always ends: `asyncio.wait_for` of Python 3.11 loses one that comes when it is just done."""

import asyncio
import contextlib


async def wait_set(event: asyncio.Event, seconds: float | None) -> None:
    """Wait until an event is set, or so long; for ever if that is None."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
