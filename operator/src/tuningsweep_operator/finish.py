"""What is left to do for a sweep that is Complete or Failed: let its driver go, free its cluster, delete it in time.

Called by the reconciler; decided from the RayJob as it is, so that an operator that starts anew finishes the work.
"""

from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from tuningsweep_api import names
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.status import TuningSweepStatus
from tuningsweep_operator.builders.common import is_owned_by
from tuningsweep_operator.control import ControlClient
from tuningsweep_operator.driver import driver_address, wanted_of_driver
from tuningsweep_operator.kube import Kube
from tuningsweep_operator.owned import OwnedObjects
from tuningsweep_operator.resources import RAY_JOBS, SWEEPS, Key, Manifest
from tuningsweep_operator.status.fold import parse_time
from tuningsweep_operator.status.observation import ENDED, Observation
from tuningsweep_operator.store import Store

LEAVE_GRACE: Final = timedelta(seconds=names.LONGEST_LEAVE_SECONDS + 60)
"""Time a driver that was let go has to exit before its cluster is taken away."""
LOOK_SECONDS: Final = 5.0


class Step(Enum):
    """What to do next with the RayJob of an ended sweep."""

    NOTHING = auto()
    WAIT = auto()
    LET_GO = auto()
    FREE = auto()


def next_step(uid: str, facts: Observation, since_end: timedelta) -> Step:
    """The step that the state of the RayJob of a sweep with a uid asks for."""
    if facts.ray_job is None or facts.deployment in ENDED or not is_owned_by(facts.ray_job, uid):
        return Step.NOTHING
    if facts.deployment == "Suspended" and facts.is_suspended and not facts.is_queued:
        return Step.NOTHING
    if facts.deployment == "Suspending":
        return Step.WAIT
    return Step.LET_GO if facts.deployment == "Running" and since_end < LEAVE_GRACE else Step.FREE


class Finisher:
    """Does the work after the end of sweeps."""

    def __init__(self, kube: Kube, control: ControlClient, store: Store, owned: OwnedObjects) -> None:
        self._kube = kube
        self._control = control
        self._store = store
        self._owned = owned

    async def __call__(self, sweep: TuningSweep, status: TuningSweepStatus, now: datetime) -> float | None:
        """Work on one ended sweep; seconds until it wants to be looked at again, None for not before an event."""
        since_end, metadata = _since_end(status, now), sweep.metadata
        wait = await self._step(sweep, status, now, since_end)
        key, ttl = (metadata.namespace, metadata.name), sweep.spec.ttl_seconds_after_finished
        return await self._delete_in_time(key, metadata.uid, ttl, since_end, wait)

    async def without_spec(
        self, key: Key, manifest: Manifest, status: TuningSweepStatus, now: datetime
    ) -> float | None:
        """As above for a sweep whose spec this release refuses: its driver can't be told, nor its RayJob built."""
        uid, since_end = manifest["metadata"]["uid"], _since_end(status, now)
        ray_job = self._store.ray_jobs.get(key)
        step = next_step(uid, Observation(ray_job=ray_job), since_end)
        if step is Step.FREE and ray_job is not None:
            await self._kube.delete(RAY_JOBS, *key, uid=ray_job["metadata"]["uid"])
        ttl = manifest["spec"].get("ttlSecondsAfterFinished")
        wait = None if step is Step.NOTHING else LOOK_SECONDS
        return await self._delete_in_time(key, uid, ttl, since_end, wait)

    async def _delete_in_time(
        self, key: Key, uid: str, ttl: int | None, since_end: timedelta, wait: float | None
    ) -> float | None:
        """Delete the sweep once its TTL has gone by; until then, when to look again, `wait` at the latest."""
        if ttl is None:
            return wait
        left = ttl - since_end.total_seconds()
        if left > 0:
            return left if wait is None else min(left, wait)
        await self._kube.delete(SWEEPS, *key, uid=uid)
        return None

    async def _step(
        self, sweep: TuningSweep, status: TuningSweepStatus, now: datetime, since_end: timedelta
    ) -> float | None:
        facts = Observation(ray_job=self._store.ray_jobs.get((sweep.metadata.namespace, sweep.metadata.name)))
        step = next_step(sweep.metadata.uid, facts, since_end)
        if step is Step.NOTHING:
            return None
        if step is Step.LET_GO and not await self._let_go(sweep, status, facts, now):
            step = Step.FREE
        if step is Step.FREE:
            freed = await self._owned.free(sweep)
            if freed is not None:
                self._store.put_returned_ray_job(freed)
        return LOOK_SECONDS

    async def _let_go(self, sweep: TuningSweep, status: TuningSweepStatus, facts: Observation, now: datetime) -> bool:
        """Tell the driver that its result is on record; False if it has none: the sweep ended without it."""
        access = await self._owned.ensure_access(sweep)
        desired = wanted_of_driver(sweep, status, now, acknowledged=True)
        answer = await self._control.put_desired(driver_address(sweep, facts), access, desired)
        # No answer is no such sign: a driver that was let go exits before KubeRay takes note.
        return answer.state is None or answer.state.result is not None


def _since_end(status: TuningSweepStatus, now: datetime) -> timedelta:
    """Time since the sweep ended."""
    return timedelta() if status.completion_time is None else now - parse_time(status.completion_time)
