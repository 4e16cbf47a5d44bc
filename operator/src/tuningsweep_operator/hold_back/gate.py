"""The gate that sweeps pass before they start: reads nodes and pods, decides for all that wait, and makes them due again.

Run by main, asked by the reconciler. The cluster is read only while a sweep waits, and at a steady pace however many do.
It remembers nothing that can't be found out again: whoever starts anew decides anew, and what runs is let run.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from tuningsweep_api.names import LABEL_QUEUE
from tuningsweep_api.outcomes import Phase
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_operator.hold_back.decision import Hold, WaitingSweep, decide
from tuningsweep_operator.hold_back.nodes import Node, PlacedPod
from tuningsweep_operator.hold_back.requests import PodNeed, needs_of
from tuningsweep_operator.kube import Kube, KubeError
from tuningsweep_operator.lease import Fence
from tuningsweep_operator.resources import NODES, PODS, Key, Manifest
from tuningsweep_operator.settings import Settings
from tuningsweep_operator.status.observation import ENDED, Observation
from tuningsweep_operator.store import Store
from tuningsweep_operator.waiting import wait_set

ROUND_SECONDS: Final = 0.2
"""Least time between two decisions: sweeps that come together are decided on together."""
LEARNED_AT_ONCE: Final = 20
STARTED_PHASES: Final = frozenset({Phase.PENDING, Phase.RUNNING, Phase.COMPLETE, Phase.FAILED})
PLACED_PODS: Final = "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed"

log = logging.getLogger(__name__)


def waits_to_start(sweep: Manifest, ray_job: Manifest | None) -> bool:
    """Whether a sweep would start now if it were let: one that runs, was told to wait or is Kueue's does not."""
    metadata = sweep["metadata"]
    if metadata.get("deletionTimestamp") or sweep["spec"].get("suspend") or LABEL_QUEUE in metadata.get("labels", {}):
        return False
    phase = (sweep.get("status") or {}).get("phase")
    if ray_job is None:  # or not shown yet by a watch that has only begun
        return phase not in STARTED_PHASES
    seen = Observation(ray_job=ray_job)
    return phase not in (Phase.COMPLETE, Phase.FAILED) and seen.is_suspended and seen.deployment not in ENDED


@dataclass(frozen=True, slots=True)
class Reading:
    """Nodes and pods as they were."""

    at: float
    nodes: tuple[Node, ...]
    pods: tuple[PlacedPod, ...]
    settled: frozenset[Key]
    """Sweeps whose pods were all on nodes."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What a version of a sweep asks for; None if it can't be run at all."""

    version: tuple[str, int]
    waiting: WaitingSweep | None


@dataclass(frozen=True, slots=True)
class _Decided:
    """What was decided of a version of a sweep."""

    version: tuple[str, int]
    hold: Hold | None

    def is_news_to(self, before: "_Decided | None") -> bool:
        """Whether the sweep is to be reconciled for it. That the message has other numbers can wait."""
        return before is None or before.version != self.version or (before.hold is None) != (self.hold is None)


class Gate:
    """Decides who may start. Open to all where the installation does not hold sweeps back."""

    def __init__(
        self,
        kube: Kube,
        store: Store,
        settings: Settings,
        fence: Fence,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kube, self._store, self._settings, self._fence, self._clock = kube, store, settings, fence, clock
        self._known: dict[Key, _Known] = {}
        self._decided: dict[Key, _Decided] = {}
        self._reading: Reading | None = None
        self._wake = asyncio.Event()

    def is_undecided(self, key: Key) -> bool:
        """Whether a sweep waits for the next decision, which makes it due again."""
        sweep = self._store.sweeps.get(key)
        if not self._settings.hold_back or sweep is None or not self._waits(key, sweep):
            return False
        decided = self._decided.get(key)
        if decided is not None and decided.version == _version(sweep):
            return False
        self._wake.set()
        return True

    def hold(self, key: Key) -> Hold | None:
        """Why a sweep may not start; None if it may, or has."""
        decided = self._decided.get(key)
        return None if decided is None else decided.hold

    def forget(self) -> None:
        """Trust nothing remembered: another replica may have decided since."""
        self._decided.clear()
        self._reading = None

    async def run(self, make_due: Callable[[Key], None]) -> None:
        """Decide until cancelled, at once when a sweep comes and every `hold_back_seconds` while one is held."""
        while True:
            await self._sleep()
            if self._fence() > 0.0:
                for key in await self._round():
                    make_due(key)
            await asyncio.sleep(ROUND_SECONDS)

    async def _sleep(self) -> None:
        held = any(decided.hold is not None for decided in self._decided.values())
        await wait_set(self._wake, self._settings.hold_back_seconds if held else None)
        self._wake.clear()

    async def _round(self) -> list[Key]:
        """Decide anew; the sweeps for which that is news."""
        await self._learn()
        found = await self._decide() if self._waiting() else {}
        before, self._decided = self._decided, found
        return [key for key, now in found.items() if now.is_news_to(before.get(key))]

    async def _learn(self) -> None:
        """Read the specs of new sweeps a few at a time: thousands at once would keep everything else waiting."""
        self._known = {key: known for key, known in self._known.items() if key in self._store.sweeps}
        for number, (key, sweep) in enumerate(list(self._store.sweeps.items())):
            if self._waits(key, sweep):
                self._look_up(key, sweep)
            if number % LEARNED_AT_ONCE == 0:
                await asyncio.sleep(0)

    async def _decide(self) -> dict[Key, _Decided]:
        try:
            reading = await self._read()
        except KubeError as error:
            log.warning("nodes and pods can't be read, no further sweep starts meanwhile: %s", error)
            unread = Hold(f"nodes and pods can't be read to see whether there is room, which is tried again: {error}")
            before = self._decided
            holds = {key: before[key].hold if key in before else unread for key in self._waiting()}
            return {key: _Decided(self._known[key].version, hold) for key, hold in holds.items()}
        waiting = self._waiting()
        versions = {key: self._known[key].version for key in waiting}
        # In a thread: in a large cluster it takes a while, and drivers are to be polled all the same.
        starting, in_line = tuple(self._starting(reading)), tuple(waiting.values())
        holds = await asyncio.to_thread(decide, reading.nodes, reading.pods, starting, in_line)
        return {key: _Decided(versions[key], hold) for key, hold in holds.items()}

    async def _read(self) -> Reading:
        at = self._clock()
        if self._reading is not None and at - self._reading.at < self._settings.hold_back_seconds:
            return self._reading
        jobs = {key: Observation(ray_job=job) for key, job in self._store.ray_jobs.items()}
        settled = frozenset(key for key, seen in jobs.items() if seen.deployment == "Running")
        nodes = [Node.from_manifest(node) async for node in self._kube.list_all(NODES)]
        pods = [PlacedPod.from_manifest(pod) async for pod in self._kube.list_all(PODS, fieldSelector=PLACED_PODS)]
        self._reading = Reading(at, tuple(nodes), tuple(pods), settled)
        return self._reading

    def _waits(self, key: Key, sweep: Manifest) -> bool:
        return waits_to_start(sweep, self._store.ray_job(key, sweep["metadata"]["uid"]))

    def _waiting(self) -> dict[Key, WaitingSweep]:
        found = {key: self._look_up(key, sweep) for key, sweep in self._store.sweeps.items() if self._waits(key, sweep)}
        return {key: waiting for key, waiting in found.items() if waiting is not None}

    def _starting(self, reading: Reading) -> Iterator[PodNeed]:
        """Pods to come: of sweeps that have started, those which were on no node when it was read."""
        placed = Counter((pod.sweep, pod.component) for pod in reading.pods if pod.sweep is not None)
        for key, job in list(self._store.ray_jobs.items()):
            seen, sweep = Observation(ray_job=job), self._store.sweeps.get(key)
            if sweep is None or key in reading.settled or seen.is_suspended or seen.deployment in ENDED:
                continue
            started = self._look_up(key, sweep)
            for pod in () if started is None else started.need.pods:
                if placed[key, pod.component]:
                    placed[key, pod.component] -= 1
                else:
                    yield pod

    def _look_up(self, key: Key, sweep: Manifest) -> WaitingSweep | None:
        known = self._known.get(key)
        if known is None or known.version != _version(sweep):
            known = self._known[key] = _Known(_version(sweep), _understood(key, sweep, self._settings))
        return known.waiting


def _version(sweep: Manifest) -> tuple[str, int]:
    return sweep["metadata"]["uid"], sweep["metadata"].get("generation", 1)


def _understood(key: Key, manifest: Manifest, settings: Settings) -> WaitingSweep | None:
    try:
        sweep = TuningSweep.from_stored(manifest)
    except ValidationError:
        return None  # the reconciler says so
    need = needs_of(sweep, settings)
    return WaitingSweep(key, sweep.spec.priority, manifest["metadata"].get("creationTimestamp", ""), need)
