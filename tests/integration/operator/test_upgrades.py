"""Upgrade and rollback while a sweep runs: of the operator, and of the CRD to a second version. No trial is touched."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from support.control_plane import ControlPlane
from support.fake_driver import FakeCluster, FakeDriver
from support.operator_process import OperatorProcess
from support.patience import eventually
from support.sweeps import BASE, edited
from tuningsweep_api import names
from tuningsweep_api.crd import custom_resource_definition
from tuningsweep_operator.resources import RAY_JOBS

LATER = "v1beta1"
CRD = f"{names.PLURAL}.{names.GROUP}"
RUNNING = "running"


@pytest.fixture(scope="module")
def operators(plane: ControlPlane, cluster: FakeCluster) -> Iterator[tuple[OperatorProcess, OperatorProcess]]:
    """An operator, and one of a release with another default image; the first runs."""
    found = tuple(
        OperatorProcess(plane.folder, plane.kubeconfig, name, cluster.environment, TRAINER_IMAGE=f"trainer:{name}")
        for name in ("old", "new")
    )
    try:
        found[0].start()
        yield found[0], found[1]
    finally:
        for operator in found:
            operator.kill()


@pytest.fixture(scope="module")
def driver(plane: ControlPlane, cluster: FakeCluster, operators: tuple[OperatorProcess, OperatorProcess]) -> FakeDriver:
    """The driver of a sweep that runs."""
    plane.kubectl("create", "-f", "-", stdin=json.dumps(edited(BASE, {"metadata.name": RUNNING})))
    eventually(lambda: plane.find(RAY_JOBS, RUNNING), "a RayJob")
    driver = cluster.run_job(RUNNING)
    eventually(lambda: status(plane).get("phase") == "Running", "the sweep runs")
    return driver


def get(plane: ControlPlane, name: str, version: str = names.VERSION) -> dict[str, Any]:
    path = f"/apis/{names.GROUP}/{version}/namespaces/default/{names.PLURAL}/{name}"
    return dict(json.loads(plane.raw(path)))


def status(plane: ControlPlane, version: str = names.VERSION) -> dict[str, Any]:
    return dict(get(plane, RUNNING, version).get("status") or {})


def job_uid(plane: ControlPlane) -> str:
    return str(plane.get(RAY_JOBS, RUNNING)["metadata"]["uid"])


def is_followed(plane: ControlPlane, driver: FakeDriver) -> None:
    """What the driver says next reaches the status."""
    running = driver.trials["running"] + 1
    driver.trials = {**driver.trials, "running": running, "total": driver.trials["total"] + 1}
    eventually(lambda: status(plane)["trials"]["running"] == running, "the status follows the driver")


def test_the_operator_is_upgraded_and_rolled_back(
    plane: ControlPlane, operators: tuple[OperatorProcess, OperatorProcess], driver: FakeDriver
) -> None:
    old, new = operators
    uid, told = job_uid(plane), driver.told
    for leaving, coming in ((old, new), (new, old)):
        coming.start()  # as the Deployment rolls: one that waits is ready before one that writes is ended
        assert leaving.stop() == 0
        plane.kubectl(
            "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(custom_resource_definition())
        )
        eventually(coming.leads, "the other operator writes")
        is_followed(plane, driver)
    assert (job_uid(plane), driver.told) == (uid, told)


def later_definition() -> dict[str, Any]:
    """The CRD as a later release may have it, with one more optional field."""
    definition = custom_resource_definition()
    for version in definition["spec"]["versions"]:
        version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["note"] = {"type": "string"}
    return definition


def test_an_operator_goes_on_with_what_a_later_release_has_added(
    plane: ControlPlane, operators: tuple[OperatorProcess, OperatorProcess], driver: FakeDriver
) -> None:
    """CRD and driver are of a later release, as while a chart is upgraded and after the operator alone is rolled back."""
    uid, told = job_uid(plane), driver.told
    text = json.dumps(later_definition())
    plane.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=text)
    patch = json.dumps({"spec": {"note": "of a later release"}})
    eventually(
        lambda: "note" in plane.kubectl("patch", "tuningsweep", RUNNING, "--type=merge", "-p", patch, "-o", "json"),
        "the new field is served",
    )
    noted = edited(BASE, {"metadata.name": "noted", "spec.note": "of a later release"})
    plane.kubectl("create", "-f", "-", stdin=json.dumps(noted))
    eventually(lambda: plane.find(RAY_JOBS, "noted"), "it is taken up")
    driver.added = {"addedLater": {"deep": [1]}}
    is_followed(plane, driver)
    eventually(lambda: status(plane)["observedGeneration"] == get(plane, RUNNING)["metadata"]["generation"], "as seen")
    assert status(plane)["phase"] == "Running"

    install(plane, (names.VERSION,), storage=names.VERSION)
    eventually(lambda: "note" not in get(plane, RUNNING)["spec"], "the older CRD prunes it")
    is_followed(plane, driver)
    assert (job_uid(plane), driver.told) == (uid, told)
    plane.kubectl("delete", "tuningsweep", "noted")


def install(plane: ControlPlane, versions: tuple[str, ...], storage: str) -> None:
    definition = custom_resource_definition(versions, storage)
    plane.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(definition))
    for version in versions:
        path = f"/apis/{names.GROUP}/{version}/{names.PLURAL}"
        eventually(lambda path=path: plane.raw(path), f"{version} is served")


def migrate(plane: ControlPlane, version: str) -> None:
    """What docs/upgrades.md says: write every object again, then say that nothing is stored in another version."""
    kind = f"{names.PLURAL}.{version}.{names.GROUP}"
    eventually(
        lambda: plane.kubectl("replace", "-f", "-", stdin=plane.kubectl("get", kind, "--all-namespaces", "-o", "json")),
        "no status was written between reading and writing",
    )
    patch = json.dumps({"status": {"storedVersions": [version]}})
    plane.kubectl("patch", "crd", CRD, "--subresource=status", "--type=merge", "-p", patch)


def stored(plane: ControlPlane) -> list[str]:
    return list(json.loads(plane.kubectl("get", "crd", CRD, "-o", "json"))["status"]["storedVersions"])


def test_a_second_version_is_brought_in_and_taken_back(
    plane: ControlPlane, operators: tuple[OperatorProcess, OperatorProcess], driver: FakeDriver
) -> None:
    uid, told, before = job_uid(plane), driver.told, get(plane, RUNNING)
    install(plane, (names.VERSION, LATER), storage=LATER)
    after = get(plane, RUNNING, LATER)
    assert after["apiVersion"] == f"{names.GROUP}/{LATER}"
    assert (after["spec"], after["metadata"]["uid"]) == (before["spec"], before["metadata"]["uid"])

    later = edited(BASE, {"metadata.name": "later", "apiVersion": f"{names.GROUP}/{LATER}"})
    plane.kubectl("create", "-f", "-", stdin=json.dumps(later))
    eventually(lambda: get(plane, "later", LATER).get("status"), "a sweep of the later version is taken up")
    assert get(plane, "later")["spec"] == get(plane, "later", LATER)["spec"]
    is_followed(plane, driver)
    assert status(plane, LATER)["trials"] == status(plane)["trials"]

    assert stored(plane) == [names.VERSION, LATER]
    migrate(plane, LATER)
    assert stored(plane) == [LATER]
    is_followed(plane, driver)

    install(plane, (names.VERSION, LATER), storage=names.VERSION)
    migrate(plane, names.VERSION)
    install(plane, (names.VERSION,), storage=names.VERSION)
    assert get(plane, "later")["apiVersion"] == names.API_VERSION
    is_followed(plane, driver)
    assert (job_uid(plane), driver.told) == (uid, told)
