"""What the work queue says of a reconcile that fails; when it tries again is in test_schedule.py."""

import asyncio
import logging

import pytest

from tuningsweep_operator.kube import KubeError
from tuningsweep_operator.work_queue import WorkQueue

KEY = ("team", "a")


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (KubeError(409, "the object has been modified"), "INFO"),
        (KubeError(500, "no"), "ERROR"),
        (ValueError("no"), "ERROR"),
    ],
)
async def test_a_write_that_came_second_is_no_error(
    error: Exception, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    tried = asyncio.Event()

    async def reconcile(_: tuple[str, str]) -> float | None:
        tried.set()
        raise error

    caplog.set_level(logging.INFO)
    queue = WorkQueue(reconcile, 1, lambda: 60.0)
    queue.add(KEY)
    task = asyncio.create_task(queue.run())
    await tried.wait()
    await queue.drain(5)
    task.cancel()
    (record,) = caplog.records
    assert (record.levelname, bool(record.exc_info)) == (level, level == "ERROR")
    assert "next try in" in record.message


@pytest.mark.parametrize("turns", range(6))
async def test_it_ends_when_told_to_though_it_is_just_woken(turns: int) -> None:
    """Found in CI: the operator did not end within a kubelet's patience."""

    async def reconcile(_: tuple[str, str]) -> float | None:
        return None

    queue = WorkQueue(reconcile, 1, lambda: 60.0)
    task = asyncio.create_task(queue.run())
    await asyncio.sleep(0)
    await queue.drain(5)
    await asyncio.sleep(0)
    queue.add(KEY)
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    assert await asyncio.wait({task}, timeout=5) == ({task}, set())
