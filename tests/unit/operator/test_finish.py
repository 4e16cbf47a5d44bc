"""After the end of a sweep: its driver is let go, its cluster freed whatever state its RayJob is in, its TTL kept."""

from datetime import timedelta
from typing import Any, cast

import pytest

from tuningsweep_api import names
from tuningsweep_api.status import TuningSweepStatus
from tuningsweep_operator.access import ControlAccess
from tuningsweep_operator.control import Answer, ControlClient
from tuningsweep_operator.finish import LEAVE_GRACE, LOOK_SECONDS, Finisher, Step, next_step
from tuningsweep_operator.kube import Kube
from tuningsweep_operator.owned import OwnedObjects
from tuningsweep_operator.status.conditions import timestamp
from tuningsweep_operator.status.observation import Observation
from tuningsweep_operator.store import Store
from unit.operator.observations import METADATA, NOW, ray_job, state, sweep

UID = METADATA["metadata.uid"]
SECOND, MINUTES = timedelta(seconds=1), LEAVE_GRACE + timedelta(seconds=1)


def owned(deployment: str) -> dict[str, Any]:
    job = ray_job(deployment)
    job["metadata"] |= {"ownerReferences": [{"uid": UID}], "uid": "of-the-job"}
    return job


@pytest.mark.parametrize(
    ("deployment", "since_end", "step"),
    [
        ("Running", SECOND, Step.LET_GO),
        ("Running", timedelta(seconds=names.LONGEST_LEAVE_SECONDS), Step.LET_GO),
        ("Running", MINUTES, Step.FREE),
        ("Initializing", SECOND, Step.FREE),
        ("Retrying", SECOND, Step.FREE),
        ("", SECOND, Step.FREE),
        ("Suspending", SECOND, Step.WAIT),
        ("Suspended", SECOND, Step.FREE),
        ("Complete", MINUTES, Step.NOTHING),
        ("Failed", SECOND, Step.NOTHING),
        ("ValidationFailed", SECOND, Step.NOTHING),
    ],
)
def test_no_cluster_outlives_its_sweep(deployment: str, since_end: timedelta, step: Step) -> None:
    assert next_step(UID, Observation(ray_job=owned(deployment)), since_end) is step


def test_a_job_that_stays_suspended_needs_nothing() -> None:
    job = {**owned("Suspended"), "spec": {"suspend": True}}
    assert next_step(UID, Observation(ray_job=job), MINUTES) is Step.NOTHING


def test_a_job_in_a_queue_does_not_stay_to_be_admitted_once_more() -> None:
    job = {**owned("Suspended"), "spec": {"suspend": True}}
    job["metadata"]["labels"] = {"kueue.x-k8s.io/queue-name": "q"}
    assert next_step(UID, Observation(ray_job=job), MINUTES) is Step.FREE


def test_a_job_of_someone_else_is_left_alone() -> None:
    assert next_step("another", Observation(ray_job=ray_job("Running")), MINUTES) is Step.NOTHING
    assert next_step(UID, Observation(), MINUTES) is Step.NOTHING


ACCESS = ControlAccess("token", b"f" * 32)


class World:
    """Stands for API server and driver; remembers what was asked of them."""

    def __init__(self, deployment: str, answer: Answer) -> None:
        self.done: list[str] = []
        self._answer = answer
        self._store = Store()
        self._store.put_ray_job(owned(deployment))

    async def finish(self, ttl: int | None = None, seconds_ago: float = 1) -> float | None:
        """One round of work on a sweep that ended so many seconds ago."""
        finisher = Finisher(cast("Kube", self), cast("ControlClient", self), self._store, cast("OwnedObjects", self))
        ended = TuningSweepStatus(completion_time=timestamp(NOW - timedelta(seconds=seconds_ago)))
        return await finisher(sweep(spec__ttlSecondsAfterFinished=ttl) if ttl is not None else sweep(), ended, NOW)

    async def finish_without_spec(self, ttl: int | None = None, seconds_ago: float = 1) -> float | None:
        """One round of work on such a sweep, whose spec is refused by now."""
        finisher = Finisher(cast("Kube", self), cast("ControlClient", self), self._store, cast("OwnedObjects", self))
        ended = TuningSweepStatus(completion_time=timestamp(NOW - timedelta(seconds=seconds_ago)))
        manifest = {"metadata": {"uid": UID}, "spec": {} if ttl is None else {"ttlSecondsAfterFinished": ttl}}
        return await finisher.without_spec(("team", "digits-svm"), manifest, ended, NOW)

    async def ensure_access(self, _: object) -> ControlAccess:
        return ACCESS

    async def free(self, _: object) -> dict[str, Any]:
        self.done.append("free")
        return owned("Running")

    async def put_desired(self, address: str, access: ControlAccess, desired: Any) -> Answer:
        assert (address, access) == ("digits-svm-abcde-head-svc.team.svc:8090", ACCESS)
        self.done.append(f"acknowledged={desired.acknowledged}")
        return self._answer

    async def delete(self, *_: object, uid: str) -> None:
        self.done.append(f"delete {uid}")


RESULT = {"succeeded": True, "reason": "SearchFinished", "message": "done"}


async def test_a_driver_with_its_result_is_let_go_and_keeps_its_cluster_until_it_exits() -> None:
    world = World("Running", Answer(state=state(result=RESULT)))
    assert await world.finish() == LOOK_SECONDS
    assert world.done == ["acknowledged=True"]


async def test_a_driver_that_is_gone_already_is_not_taken_for_stuck() -> None:
    world = World("Running", Answer(error="gone"))
    await world.finish()
    assert world.done == ["acknowledged=True"]


async def test_a_driver_that_goes_on_after_the_end_loses_its_cluster() -> None:
    world = World("Running", Answer(state=state()))
    await world.finish()
    assert world.done == ["acknowledged=True", "free"]


async def test_a_sweep_is_deleted_when_its_time_is_over_and_not_before() -> None:
    world = World("Complete", Answer())
    assert await world.finish(ttl=60, seconds_ago=20) == 40
    assert world.done == []
    assert await world.finish(ttl=60, seconds_ago=61) is None
    assert world.done == [f"delete {METADATA['metadata.uid']}"]


async def test_the_cluster_of_an_ended_sweep_whose_spec_is_refused_by_now_is_freed_all_the_same() -> None:
    world = World("Running", Answer())
    assert await world.finish_without_spec() == LOOK_SECONDS
    assert world.done == [], "its driver may be about to leave"
    assert await world.finish_without_spec(seconds_ago=LEAVE_GRACE.total_seconds()) == LOOK_SECONDS
    assert world.done == ["delete of-the-job"]


async def test_and_it_is_deleted_in_time() -> None:
    world = World("Complete", Answer())
    assert await world.finish_without_spec(ttl=60, seconds_ago=20) == 40
    assert await world.finish_without_spec(ttl=60, seconds_ago=61) is None
    assert world.done == [f"delete {UID}"]
