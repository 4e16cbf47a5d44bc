"""Sweeps that wait, in a queue or held back: what their status says, and that the operator never decides for Kueue."""

from datetime import timedelta
from typing import Any, cast

import pytest

from support.sweeps import edited
from tuningsweep_api.outcomes import Phase
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.status import TuningSweepStatus
from tuningsweep_operator.hold_back.decision import Hold
from tuningsweep_operator.kube import Kube
from tuningsweep_operator.owned import OwnedObjects
from tuningsweep_operator.resources import Resource
from tuningsweep_operator.status.conditions import timestamp
from tuningsweep_operator.status.fold import deadline, fold
from tuningsweep_operator.status.observation import Observation
from unit.operator.observations import METADATA, NOW, SETTINGS, ray_job, state, sweep

LABEL = "kueue.x-k8s.io/queue-name"
QUEUED = {"metadata__labels": {LABEL: "team-queue", "kueue.x-k8s.io/priority-class": "low"}}
LATER = NOW + timedelta(hours=1)


def queued_job(deployment: str, *, suspend: bool) -> dict[str, Any]:
    return edited(ray_job(deployment), {"metadata.labels": {LABEL: "team-queue"}, "spec": {"suspend": suspend}})


def workload(*conditions: tuple[str, str, str, str]) -> dict[str, Any]:
    """What Kueue says: type, status, reason and message of its conditions."""
    fields = ("type", "status", "reason", "message")
    return {"status": {"conditions": [dict(zip(fields, condition, strict=True)) for condition in conditions]}}


def after(before: TuningSweepStatus, seen: Observation, **edits: Any) -> TuningSweepStatus:
    return fold(sweep(**QUEUED, **edits), before, seen, SETTINGS, LATER)


def waiting(*conditions: tuple[str, str, str, str], **seen: Any) -> TuningSweepStatus:
    """The status of a sweep that ran and now waits."""
    running = Observation(ray_job=queued_job("Running", suspend=False), state=state())
    ran = fold(sweep(**QUEUED), TuningSweepStatus(), running, SETTINGS, NOW)
    found = workload(*conditions) if conditions else None
    return after(ran, Observation(ray_job=queued_job("Suspended", suspend=True), workload=found, **seen))


def reasons(status: TuningSweepStatus) -> dict[str, str]:
    return {condition.type: condition.reason for condition in status.conditions if condition.status == "True"}


NO_QUOTA = ("QuotaReserved", "False", "Pending", "insufficient unused quota for cpu in flavor default, 1 more needed")


def test_a_sweep_that_waits_says_for_what() -> None:
    status = waiting(NO_QUOTA)
    (suspended,) = [condition for condition in status.conditions if condition.type == "Suspended"]
    assert (status.phase, reasons(status)) == (Phase.QUEUED, {"Suspended": "Queued"})
    assert suspended.message == f"it waits in queue team-queue: {NO_QUOTA[3]}"
    assert (status.trials.running, status.trials.succeeded) == (0, 1)


def test_a_preempted_sweep_says_so_until_it_is_admitted_again() -> None:
    evicted = ("Evicted", "True", "Preempted", "preempted to accommodate a workload")
    status = waiting(NO_QUOTA, evicted)
    assert (status.phase, reasons(status)) == (Phase.QUEUED, {"Suspended": "Preempted"})
    admitted = after(status, Observation(ray_job=queued_job("Initializing", suspend=False)))
    assert (admitted.phase, reasons(admitted)) == (Phase.PENDING, {"Reconciling": "CreatingCluster"})
    assert admitted.start_time == timestamp(LATER)


def test_other_evictions_are_told_in_kueues_words() -> None:
    status = waiting(("Evicted", "True", "ClusterQueueStopped", "the ClusterQueue is stopped"))
    assert reasons(status) == {"Suspended": "Queued"}
    assert "the ClusterQueue is stopped" in status.conditions[0].message


def test_time_in_the_queue_does_not_count_towards_the_deadline() -> None:
    limited = sweep(**QUEUED, spec__activeDeadlineSeconds=60)
    first = fold(limited, TuningSweepStatus(), Observation(ray_job=queued_job("", suspend=True)), SETTINGS, NOW)
    assert first.start_time is None
    assert deadline(limited, waiting(NO_QUOTA)) is None


def test_a_queue_that_is_not_there_stalls_the_sweep() -> None:
    status = waiting(("QuotaReserved", "False", "Inadmissible", "LocalQueue team-queue doesn't exist"))
    assert reasons(status) == {"Suspended": "Queued", "Stalled": "QueueUnavailable"}


@pytest.mark.parametrize(("silence", "stalled"), [(1.0, False), (60.0, True)])
def test_kueue_that_does_nothing_stalls_the_sweep_in_time(silence: float, stalled: bool) -> None:
    status = waiting(queue_silence=silence)
    assert reasons(status) == {"Suspended": "Queued"} | ({"Stalled": "KueueNotResponding"} if stalled else {})


def test_a_sweep_that_ended_as_it_was_preempted_has_ended() -> None:
    job = queued_job("Complete", suspend=True)
    job["status"]["jobStatus"] = "SUCCEEDED"
    assert after(waiting(NO_QUOTA), Observation(ray_job=job)).phase is Phase.COMPLETE


class Cluster:
    """Stands for the API server with one RayJob or none."""

    def __init__(self, live: dict[str, Any] | None) -> None:
        self.live = live
        self.applied: list[dict[str, Any]] = []
        self.deleted: list[str] = []

    async def get(self, _: Resource, namespace: str, name: str) -> dict[str, Any] | None:
        assert (namespace, name) == ("team", "digits-svm")
        return self.live

    async def apply(self, _: Resource, manifest: dict[str, Any]) -> dict[str, Any]:
        self.applied.append(manifest)
        return manifest

    async def create(self, resource: Resource, manifest: dict[str, Any]) -> dict[str, Any]:
        return await self.apply(resource, manifest)

    async def delete(self, _: Resource, namespace: str, name: str, uid: str) -> None:
        assert (namespace, name) == ("team", "digits-svm")
        self.deleted.append(uid)

    def owned(self) -> OwnedObjects:
        return OwnedObjects(cast("Kube", self), SETTINGS)


def live_job(*, suspend: bool, **metadata: Any) -> dict[str, Any]:
    owner = {"uid": METADATA["metadata.uid"]}
    job = queued_job("Suspended", suspend=suspend)
    job["metadata"] |= {"uid": "j1", "ownerReferences": [owner], **metadata}
    return job


async def test_a_job_is_made_suspended_and_with_the_queues_labels() -> None:
    cluster = Cluster(None)
    await cluster.owned().bring_ray_job(sweep(**QUEUED))
    (made,) = cluster.applied
    assert made["spec"]["suspend"] is True
    assert QUEUED["metadata__labels"].items() <= made["metadata"]["labels"].items()


async def test_a_job_that_kueue_admitted_is_left_alone() -> None:
    cluster = Cluster(live_job(suspend=False))
    assert await cluster.owned().bring_ray_job(sweep(**QUEUED)) is cluster.live
    assert (cluster.applied, cluster.deleted) == ([], [])


async def test_a_job_that_waits_is_changed_only_as_it_was_seen() -> None:
    cluster = Cluster(live_job(suspend=True))
    await cluster.owned().bring_ray_job(sweep(**QUEUED))
    (changed,) = cluster.applied
    assert (changed["spec"]["suspend"], changed["metadata"]["resourceVersion"]) == (True, "5")


async def test_a_job_being_deleted_is_waited_for() -> None:
    cluster = Cluster(live_job(suspend=True, deletionTimestamp="2026-01-02T03:04:05Z"))
    await cluster.owned().bring_ray_job(sweep(**QUEUED))
    assert cluster.applied == []


@pytest.mark.parametrize("suspend", [False, True])
async def test_a_suspended_sweep_gives_its_quota_back(suspend: bool) -> None:
    cluster = Cluster(live_job(suspend=suspend))
    assert await cluster.owned().bring_ray_job(sweep(**QUEUED, spec__suspend=True)) is None
    assert (cluster.applied, cluster.deleted) == ([], ["j1"])


async def test_an_ended_sweep_gives_its_quota_back() -> None:
    cluster = Cluster(live_job(suspend=False))
    assert await cluster.owned().free(sweep(**QUEUED)) is None
    assert cluster.deleted == ["j1"]


async def test_without_a_queue_nothing_of_it_is_on_the_job() -> None:
    cluster = Cluster(None)
    plain: TuningSweep = sweep(metadata__labels={"kueue.x-k8s.io/priority-class": "low"})
    await cluster.owned().bring_ray_job(plain)
    (made,) = cluster.applied
    assert made["spec"]["suspend"] is False
    assert not [label for label in made["metadata"]["labels"] if label.startswith("kueue")]


SHORT = Hold("no node has room for its driver pod")


def held(hold: Hold | None, job: dict[str, Any] | None, before: TuningSweepStatus | None = None) -> TuningSweepStatus:
    limited = sweep(spec__activeDeadlineSeconds=60)
    seen = Observation(ray_job=job, hold=hold)
    return fold(limited, before or TuningSweepStatus(), seen, SETTINGS, NOW if before is None else LATER)


def test_a_sweep_held_back_shows_as_one_in_a_queue() -> None:
    status = held(SHORT, None)
    assert (status.phase, reasons(status)) == (Phase.QUEUED, {"Suspended": "WaitingForCapacity"})
    assert status.conditions[0].message == SHORT.message
    assert status.start_time is None
    started = held(None, ray_job(""), status)
    assert (started.phase, reasons(started)) == (Phase.PENDING, {"Reconciling": "CreatingCluster"})
    assert started.start_time == timestamp(LATER)


def test_one_that_no_node_could_take_is_stalled() -> None:
    status = held(Hold("too large", too_large=True), None)
    assert reasons(status) == {"Suspended": "WaitingForCapacity", "Stalled": "Unschedulable"}


@pytest.mark.parametrize(("live", "suspend"), [(None, True), (True, True), (False, False)])
async def test_a_job_held_back_is_suspended_unless_it_has_started(live: bool | None, suspend: bool) -> None:
    job = None if live is None else live_job(suspend=live)
    if job is not None:
        job["metadata"]["labels"] = {}
    cluster = Cluster(job)
    await cluster.owned().bring_ray_job(sweep(), held=True)
    (made,) = cluster.applied
    assert made["spec"]["suspend"] is suspend
