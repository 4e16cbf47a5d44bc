"""Chart, CRD and operator are upgraded and rolled back with helm while sweeps run: none of their trials notices."""

import collections
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.release import SYSTEM, operator_pods, roll_back, rolled_back_after, upgrade, writer
from cluster.sweeps import (
    ONE_WORKER,
    TRAINER_IMAGE,
    condition,
    function_sweep,
    is_true,
    read_records,
    read_results,
    tell_trials,
    trial_counts,
    wait_condition,
    wait_running,
)
from support.chart import CHART
from support.kubectl import Kubectl
from support.patience import eventually
from tuningsweep_api.messages import desired_state
from tuningsweep_api.spec.sweep import TuningSweep

LATER = "99.0.0"
RUNNING = "on-a-worker"
NEWCOMER = "newcomer"
NEW_FIELD = "note"
TRIALS = 4


@pytest.fixture
def later_chart(tmp_path: Path) -> Path:
    """The chart as a later release may be: another version, and a CRD with one more optional field."""
    chart = tmp_path / "tuningsweep"
    shutil.copytree(CHART, chart)
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    (chart / "Chart.yaml").write_text(yaml.safe_dump({**about, "version": LATER, "appVersion": LATER}))
    crd = yaml.safe_load((chart / "files/crd.yaml").read_text())
    for version in crd["spec"]["versions"]:
        spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
        spec["properties"][NEW_FIELD] = {"type": "string", "description": "Added by a later release."}
    (chart / "files/crd.yaml").write_text(yaml.safe_dump(crd))
    return chart


def sweep(name: str, **edits: Any) -> dict[str, Any]:
    """A sweep whose trials run until they are told that it is enough, two at a time."""
    small = {"cpu": "100m", "memory": "512Mi"}
    usual = {"spec__cluster__resourcesPerTrial": small, "spec__limits": {"meanStepTime": "60s"}}
    return function_sweep(name, "until_told", **{**usual, **edits})


@dataclass
class Identity:
    """What would be another one if anything of a sweep had been made again."""

    objects: dict[str, str]
    """UIDs of RayJob, RayCluster and pods, by kind and name."""
    containers: dict[str, tuple[str, int]]
    """ID and number of restarts of each container, by pod and name."""

    @classmethod
    def of(cls, kubectl: Kubectl, name: str) -> "Identity":
        found = kubectl.items("rayjobs,rayclusters,pods", f"tuningsweep.io/sweep={name}")
        pods = [one for one in found if one["kind"] == "Pod"]
        assert {one["kind"] for one in found} >= {"RayJob", "RayCluster", "Pod"}
        return cls(
            {f"{one['kind']}/{one['metadata']['name']}": one["metadata"]["uid"] for one in found},
            {
                f"{pod['metadata']['name']}/{status['name']}": (status["containerID"], status["restartCount"])
                for pod in pods
                for status in pod["status"]["containerStatuses"]
            },
        )


def assignments(kubectl: Kubectl, name: str) -> list[tuple[str, int]]:
    """Trial and attempt of each line that the driver has written before a trial was assigned or started."""
    lines = read_results(kubectl, name, "assignments.jsonl").splitlines()
    return [(line["trial"], line.get("attempt", 0)) for line in map(json.loads, lines)]


def is_untouched(kubectl: Kubectl, name: str, before: Identity) -> None:
    """Nothing of a sweep was made again, the same two trials run at their first attempt, and its driver is followed."""
    assert Identity.of(kubectl, name) == before
    assert trial_counts(kubectl, name)["running"] == 2
    assert sorted(assignments(kubectl, name)) == [(f"trial-000{n}", attempt) for n in (0, 1) for attempt in (0, 1)]
    found = kubectl.get("tuningsweep", name)
    assert not is_true(found, "Stalled"), condition(found, "Stalled")
    assert found["status"].get("driverRestarts", 0) == 0


def limit_reaches_the_driver(kubectl: Kubectl, name: str, seconds: str) -> None:
    """An edited limit is confirmed by the driver, within the operator's two seconds and what a busy machine adds."""
    kubectl.patch("tuningsweep", name, {"spec": {"limits": {"meanStepTime": seconds}}})
    wanted = desired_state(TuningSweep.from_stored(kubectl.get("tuningsweep", name))).digest()
    eventually(
        lambda: kubectl.get("tuningsweep", name)["status"].get("desiredDigest") == wanted,
        f"the driver of {name} has the limit",
    )


def the_new_pods_write(before: set[str]) -> None:
    """The pods of the operator are others than before, all ready, and one of them holds the Lease."""
    pods = eventually(lambda: _replaced(before), "the operator's pods are replaced")
    eventually(lambda: writer() in pods, "one of the new pods writes")


def _replaced(before: set[str]) -> set[str]:
    pods = operator_pods()
    ready = all(status.get("ready") for pod in pods.values() for status in pod["status"].get("containerStatuses", [{}]))
    return set(pods) if ready and pods and not before & set(pods) else set()


def versions_of_pods() -> set[str]:
    return {pod["metadata"]["labels"]["app.kubernetes.io/version"] for pod in operator_pods().values()}


def ends_with_one_record_a_trial(kubectl: Kubectl, name: str) -> None:
    wait_condition(kubectl, name, "Complete")
    records = read_records(kubectl, name)
    assert sorted(record["trial"] for record in records) == [f"trial-{n:04d}" for n in range(TRIALS)]
    assert {(record["outcome"], record["attempts"]) for record in records} == {("Succeeded", 1)}
    started = collections.Counter(assignments(kubectl, name))
    assert started == {(f"trial-{n:04d}", attempt): 1 for n in range(TRIALS) for attempt in (0, 1)}


@pytest.mark.disruptive
def test_upgrade_and_rollback_touch_no_trial(kubectl: Kubectl, later_chart: Path) -> None:
    kubectl.apply(sweep(RUNNING, spec__cluster__workers=ONE_WORKER))
    wait_running(kubectl, RUNNING, count=2)
    before = {RUNNING: Identity.of(kubectl, RUNNING)}
    old_version, old_pods = versions_of_pods(), set(operator_pods())

    with rolled_back_after() as first:
        # The trainer's image of the later release is not there: a pod that was made again would not start.
        upgrade(later_chart, "--set", "trainer.image.tag=later")
        the_new_pods_write(old_pods)
        assert versions_of_pods() == {LATER}
        limit_reaches_the_driver(kubectl, RUNNING, "50s")
        is_untouched(kubectl, RUNNING, before[RUNNING])
        the_new_field_is_admitted(kubectl)
        before[NEWCOMER] = Identity.of(kubectl, NEWCOMER)

        new_pods = set(operator_pods())
        roll_back(first)
        the_new_pods_write(new_pods)
        assert versions_of_pods() == old_version
        for name in before:
            limit_reaches_the_driver(kubectl, name, "40s")
            is_untouched(kubectl, name, before[name])
        assert NEW_FIELD not in kubectl.get("tuningsweep", NEWCOMER)["spec"], "the older CRD prunes what it lacks"

    for name in before:
        tell_trials(kubectl, name)
        ends_with_one_record_a_trial(kubectl, name)


def the_new_field_is_admitted(kubectl: Kubectl) -> None:
    """A sweep with the later CRD's field runs under an operator that does not know it, and its log names the field."""
    image = {"spec__cluster__image": TRAINER_IMAGE, "spec__cluster__imagePullPolicy": "IfNotPresent"}
    kubectl.apply(sweep(NEWCOMER, **{f"spec__{NEW_FIELD}": "of a later release"}, **image))
    assert kubectl.get("tuningsweep", NEWCOMER)["spec"][NEW_FIELD] == "of a later release"
    wait_running(kubectl, NEWCOMER, count=2)
    log = SYSTEM.run("logs", writer(), "--tail=-1")
    assert f"spec.{NEW_FIELD}" in log
