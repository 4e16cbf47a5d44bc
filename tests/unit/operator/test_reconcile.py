"""What a reconcile does where no real API server is needed to see it; the rest is in tests/integration/operator."""

import logging
from typing import Any, cast

import pytest

from tuningsweep_api.status import TuningSweepStatus
from tuningsweep_operator.control import Answer
from tuningsweep_operator.kube import Kube, KubeError
from tuningsweep_operator.reconcile import Reconciler
from tuningsweep_operator.resources import Resource
from tuningsweep_operator.status.conditions import timestamp
from tuningsweep_operator.stops import tell_stops
from tuningsweep_operator.store import Store
from unit.operator.observations import METADATA, NOW, SETTINGS, ray_job, state, stop, sweep

KEY = ("team", "digits-svm")


class Cluster:
    """Stands for the API server: answers a creation with an error, and keeps the status that is written."""

    def __init__(self, status: int = 201, live: dict[str, Any] | None = None) -> None:
        self.status, self.live = status, live
        self.statuses: list[dict[str, Any]] = []

    async def get(self, _: Resource, __: str, ___: str) -> dict[str, Any] | None:
        return self.live

    async def create(self, _: Resource, __: dict[str, Any]) -> None:
        if self.status != 201:
            raise KubeError(self.status, "no Events here")

    async def replace_status(self, _: str, __: str, uid: str, status: dict[str, Any]) -> None:
        assert uid == METADATA["metadata.uid"]
        self.statuses.append(status)


class Silent:
    """Stands for drivers that say nothing, and for a gate that is open."""

    def leave(self, _: object) -> None:
        pass

    async def ask(self, *_: object) -> Answer:
        return Answer()

    def silence(self, _: object) -> float:
        return 0.0

    def is_listening(self, _: object) -> bool:
        return False

    def is_undecided(self, _: object) -> bool:
        return False

    def hold(self, _: object) -> None:
        pass


def reconciler(cluster: Cluster, store: Store) -> Reconciler:
    silent = cast("Any", Silent())
    return Reconciler(cast("Kube", cluster), cast("Any", None), silent, store, SETTINGS, silent)


class Owned:
    """Stands for the objects of a sweep; counts how often they are brought to the spec."""

    def __init__(self) -> None:
        self.brought = 0

    async def ensure_access(self, *_: object, **__: object) -> None:
        pass

    async def apply_inputs(self, *_: object, **__: object) -> None:
        pass

    async def bring_ray_job(self, *_: object, **__: object) -> None:
        self.brought += 1


@pytest.mark.parametrize(("status", "passes"), [(201, True), (403, True), (429, True), (500, False), (0, False)])
async def test_a_refused_event_holds_nothing_up(status: int, passes: bool, caplog: pytest.LogCaptureFixture) -> None:
    told = state(stopCount=1, recentStops=[stop(1, "trial-0001")])
    telling = tell_stops(cast("Kube", Cluster(status)), sweep(), told, 0, NOW)
    caplog.set_level(logging.WARNING)
    if passes:
        await telling
        assert ("refuses an Event" in caplog.text) == (status != 201)
    else:
        with pytest.raises(KubeError):
            await telling


@pytest.mark.parametrize(
    ("deployment", "kind"),
    [
        ("Running", "Stalled"),
        ("Initializing", "Stalled"),
        ("Queued", "Stalled"),
        ("Complete", "Failed"),
        (None, "Failed"),
    ],
)
@pytest.mark.parametrize("shown", [True, False])
async def test_a_spec_that_is_invalid_now_ends_nothing_that_runs(
    deployment: str | None, kind: str, shown: bool
) -> None:
    store, job = Store(), None if deployment is None else ray_job(deployment)
    if job is not None and deployment == "Queued":
        job["metadata"]["labels"], job["spec"] = {"kueue.x-k8s.io/queue-name": "q"}, {"suspend": True}
    cluster = Cluster(live=job)
    invalid = sweep().dump() | {"status": {"rayJobName": "digits-svm"}}
    invalid["metadata"]["resourceVersion"] = "1"
    invalid["spec"]["parameters"] = []
    store.put_sweep(invalid)
    if job is not None and shown:  # else the operator has just started
        store.put_ray_job(job)
    again = await reconciler(cluster, store)(KEY)
    (written,) = cluster.statuses
    conditions = {condition["type"]: condition for condition in written["conditions"]}
    assert set(conditions) == ({kind} if kind == "Stalled" else {kind, "Reconciling"})
    assert (conditions[kind]["status"], conditions[kind]["reason"]) == ("True", "InvalidSpec")
    assert "parameters" in conditions[kind]["message"]
    assert written["observedGeneration"] == METADATA["metadata.generation"]
    assert (again is None) == (kind == "Failed"), "what runs is looked at again"


@pytest.mark.parametrize("parameters", [None, []])
async def test_an_edit_after_the_end_is_seen_and_changes_nothing(parameters: list[Any] | None) -> None:
    store, cluster = Store(), Cluster()
    failed = {"type": "Failed", "status": "True", "reason": "NoTrialSucceeded", "message": "none succeeded"}
    ended = {
        "phase": "Failed",
        "conditions": [failed | {"lastTransitionTime": timestamp(NOW)}],
        "observedGeneration": 1,
    }
    manifest = sweep().dump() | {"status": ended | {"completionTime": timestamp(NOW)}}
    manifest["metadata"]["resourceVersion"] = "1"
    if parameters is not None:  # as an earlier release of the CRD may have let it through
        manifest["spec"]["parameters"] = parameters
    store.put_sweep(manifest)
    assert await reconciler(cluster, store)(KEY) is None
    (written,) = cluster.statuses
    assert written["observedGeneration"] == METADATA["metadata.generation"]
    before = TuningSweepStatus.model_validate(manifest["status"]).dump()
    assert written | {"observedGeneration": 1} == before


@pytest.mark.parametrize(("deployment", "suspended", "goes_on"), [("Running", False, True), ("Suspended", True, False)])
@pytest.mark.parametrize("shown", [True, False])
async def test_what_the_installation_forbids_later_changes_nothing_for_what_runs(
    deployment: str, suspended: bool, goes_on: bool, shown: bool
) -> None:
    store, job = Store(), ray_job(deployment) | {"spec": {"suspend": suspended}}
    cluster, owned = Cluster(live=job), Owned()
    forbidden = sweep(spec__cluster={"podTemplate": {"serviceAccountName": "bucket-reader"}}).dump()
    forbidden |= {"status": {"rayJobName": "digits-svm", "observedGeneration": 2}}
    forbidden["metadata"]["resourceVersion"] = "1"
    store.put_sweep(forbidden)
    if shown:  # else the operator has just started
        store.put_ray_job(job)
    reconcile = reconciler(cluster, store)
    reconcile._owned = cast("Any", owned)
    await reconcile(KEY)
    reasons = {condition["reason"] for condition in cluster.statuses[-1]["conditions"]}
    assert (owned.brought, "OverrideNotAllowed" in reasons) == ((1, False) if goes_on else (0, True))
