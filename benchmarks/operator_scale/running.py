"""Many sweeps that run: how late their statuses are, how late edits reach their drivers, and what the operator takes for it.

KubeRay is not there: the benchmark writes the status of each RayJob as KubeRay 1.6 does for a running job.
"""

import asyncio
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import aiohttp

import support
from benchmarks.operator_scale.client import PATIENCE_SECONDS, Access, Sign, events, load, send
from benchmarks.operator_scale.creation import OURS
from benchmarks.operator_scale.drivers import Drivers, serving_drivers
from benchmarks.operator_scale.objects import NAMESPACE, create_sweep, driver_host, edit_limit, head_service, run_job
from benchmarks.operator_scale.plane import administrator, bench_plane, operator_kubeconfig
from benchmarks.operator_scale.programs import running_operator
from benchmarks.operator_scale.sightings import Sightings
from tuningsweep_operator.resources import SWEEPS
from tuningsweep_operator.settings import Settings

RUNNING: Final = [Sign(SWEEPS.path(NAMESPACE), b'"phase":"Running"')]
EDITS_PER_SECOND: Final = 1.0
LAST_SECONDS: Final = 60.0
"""How long the last news may take, however late they are."""
STATUS_SECONDS: Final = Settings().status_seconds


@dataclass(frozen=True, slots=True)
class Load:
    """What is done to running sweeps, and for how long."""

    seconds: float
    ends_per_second: float


@dataclass(frozen=True, slots=True)
class Running:
    """What became of it. Seconds."""

    idle_share: float
    """The operator's, of a core, while no driver has news."""
    busy_share: float
    """The same while trials end and limits are edited."""
    status_lags: list[float]
    """From the end of each trial in its driver to the status that counts it."""
    edit_lags: list[float]
    """From each edit's request to its driver having it."""
    writes: int
    most_writes: int
    """Of one sweep within STATUS_SECONDS, without those that changed a condition."""
    peak_memory: int
    """Bytes."""


def measure(folder: Path, count: int, work: Load, settle_seconds: float, rest_seconds: float) -> Running:
    """Let sweeps run, be at rest, and then have news."""
    hosts = folder.with_name("hosts.json")
    hosts.write_text(json.dumps({head_service(number): driver_host(number) for number in range(count)}))
    settings = {
        "PYTHONPATH": str(Path(support.__path__[0]) / "cluster_names"),
        "TUNINGSWEEP_TEST_HOSTS": str(hosts),
        "TUNINGSWEEP_KUBERAY_SILENCE_SECONDS": str(PATIENCE_SECONDS),  # it is played, when all is there
    }
    with (
        bench_plane(folder) as plane,
        tempfile.TemporaryDirectory(dir=_memory()) as results,
        running_operator(folder, operator_kubeconfig(plane), settings) as operator,
    ):
        access = administrator(plane)
        load(access, count, create_sweep, OURS)
        with serving_drivers(access, count, Path(results)) as drivers:
            load(access, count, run_job, RUNNING)
            time.sleep(settle_seconds)
            idle = operator.cpu_share(rest_seconds)
            before, started = operator.cpu_seconds(), time.monotonic()
            sightings, status_lags, edit_lags = asyncio.run(_observed(access, count, drivers, work))
            busy = (operator.cpu_seconds() - before) / (time.monotonic() - started)
            peak = operator.peak_memory()
    most = sightings.most_writes(STATUS_SECONDS)
    return Running(idle, busy, status_lags, edit_lags, sightings.writes, most, peak)


def _memory() -> str | None:
    """A folder in memory, where there is one: the drivers' disks are not etcd's."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a folder of its own is made in it


async def _observed(
    access: Access, count: int, drivers: Drivers, work: Load
) -> tuple[Sightings, list[float], list[float]]:
    """Feed and edit; the statuses seen meanwhile, and both lags. TimeoutError if news never arrive."""
    sightings = Sightings()
    async with access.session() as session:
        watch = asyncio.create_task(_watch(session, sightings))
        try:
            editing = asyncio.create_task(_edit(session, count, work.seconds))
            ends = await asyncio.to_thread(drivers.feed, work.seconds, work.ends_per_second)
            sent = await editing
            async with asyncio.timeout(LAST_SECONDS):
                # Polled: the drivers are in another process.
                while sightings.missing(ends) or sent.keys() - (await asyncio.to_thread(drivers.delivered)).keys():  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
        finally:
            watch.cancel()
    delivered = drivers.delivered()
    lags = [lag for end in ends if (lag := sightings.lag(end)) is not None]
    return sightings, lags, [delivered[text] - at for text, at in sent.items()]


async def _watch(session: aiohttp.ClientSession, sightings: Sightings) -> None:
    async for event in events(session, SWEEPS.path(NAMESPACE)):
        sightings.see(json.loads(event)["object"], time.monotonic())


async def _edit(session: aiohttp.ClientSession, count: int, seconds: float) -> dict[str, float]:
    """Edit limits at a steady rate; when each was sent, by the value that no other edit has."""
    random, sent = Random(0), dict[str, float]()
    started = time.monotonic()
    for number in range(int(seconds * EDITS_PER_SECOND)):
        await asyncio.sleep(started + number / EDITS_PER_SECOND - time.monotonic())
        duration = f"{1000 + number}s"
        sent[duration] = time.monotonic()
        await send(session, edit_limit(random.randrange(count), duration))
    return sent
