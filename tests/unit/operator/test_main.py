"""How the operator ends: also while it begins; what does not end when it is told to keeps nothing up, and is named."""

import asyncio
import contextlib
import logging
import subprocess
import sys

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


STOPPED_WHILE_IT_IMPORTS = """
import os, signal, sys, time

class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "tuningsweep_operator.main":
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(600)

sys.meta_path.insert(0, Slow())
from tuningsweep_operator.__main__ import main
main()
"""


def test_sigterm_ends_it_before_all_is_imported() -> None:
    """By a handler of its own: the first process of a container has no default."""
    done = subprocess.run([sys.executable, "-c", STOPPED_WHILE_IT_IMPORTS], check=False, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
