"""How the operator ends: what does not end when it is told to keeps nothing up, and is named."""

import asyncio
import contextlib
import logging

import pytest

from tuningsweep_operator.main import end


async def test_a_task_that_does_not_end_is_named_and_failures_of_others_are_kept(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def deaf() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        await asyncio.sleep(60)

    async def broken() -> None:
        raise OSError("no room")

    tasks = {
        asyncio.create_task(deaf(), name="gate"),
        asyncio.create_task(broken(), name="queue"),
        asyncio.create_task(asyncio.sleep(60), name="stop"),
    }
    await asyncio.sleep(0)
    caplog.set_level(logging.ERROR)
    for task in tasks:
        task.cancel()
    (failure,) = await end(tasks, 0.05)
    assert str(failure) == "no room"
    assert [record.getMessage() for record in caplog.records] == [
        "gate did not end within 0.05 s of being told to, and is given up"
    ]
