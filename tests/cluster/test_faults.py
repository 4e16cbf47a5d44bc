"""Issue A(e), (f), (g): operator killed, head pod killed, sweep deleted while the operator is away."""

from collections.abc import Iterator

import pytest

from cluster.sweeps import (
    ONE_WORKER,
    function_sweep,
    head_pod,
    read_records,
    trial_counts,
    wait_condition,
    wait_running,
)
from support.kubectl import Kubectl
from support.patience import eventually

SYSTEM = Kubectl("tuningsweep-system")
DEPLOYMENT = "deployment/tuningsweep-operator"
SELECTOR = "app.kubernetes.io/component=operator"


@pytest.fixture
def operator_away() -> Iterator[None]:
    """Scales the operator to zero when asked (`scale`), and back to two afterwards whatever happened."""
    yield
    SYSTEM.run("scale", DEPLOYMENT, "--replicas=2")
    SYSTEM.run("rollout", "status", DEPLOYMENT, "--timeout=300s")


def take_operator_away() -> None:
    SYSTEM.run("scale", DEPLOYMENT, "--replicas=0")
    eventually(lambda: not SYSTEM.items("pods", SELECTOR), "operator gone", 60)


@pytest.mark.disruptive
def test_limits_hold_and_deletion_works_while_the_operator_is_away(kubectl: Kubectl, operator_away: None) -> None:
    name = "alone"
    behaviours = {"name": "behaviour", "parameterType": "categorical", "feasibleSpace": {"list": ["quick", "hangs"]}}
    edits = {"parameters": [behaviours], "maxTrialCount": 2, "limits": {"stepTime": "20s"}}
    kubectl.apply(function_sweep(name, "hostile", **{f"spec__{field}": value for field, value in edits.items()}))
    kubectl.apply(function_sweep("gone", "counting", spec__parallelTrialCount=1))
    wait_running(kubectl, name)
    wait_running(kubectl, "gone")
    take_operator_away()
    before = trial_counts(kubectl, name)
    log = eventually(lambda: _limit_in_log(kubectl, name), "the hanging trial is stopped without the operator")
    assert "trial-0001" in log
    assert trial_counts(kubectl, name) == before
    kubectl.run("delete", "tuningsweep", "gone", "--timeout=30s")
    kinds = "rayjobs,rayclusters,pods,services,secrets,configmaps,persistentvolumeclaims"
    eventually(lambda: not kubectl.items(kinds, "tuningsweep.io/sweep=gone"), "everything the sweep owned is gone", 60)
    SYSTEM.run("scale", DEPLOYMENT, "--replicas=2")
    sweep = wait_condition(kubectl, name, "Complete")
    assert sweep["status"]["trials"]["limitExceeded"] == 1
    assert sweep["status"]["trials"]["succeeded"] == 1


def _limit_in_log(kubectl: Kubectl, name: str) -> str | None:
    """The driver's log line about a stop."""
    script = f"cat /var/lib/tuningsweep/{name}/trials.jsonl"
    printed = kubectl.run("exec", head_pod(kubectl, name), "--", "sh", "-c", script)
    lines = [line for line in printed.splitlines() if "StepTimeLimitExceeded" in line]
    return lines[0] if lines else None


@pytest.mark.long
def test_sweep_resumes_after_the_head_pod_is_killed(kubectl: Kubectl) -> None:
    name = "headless"
    kubectl.apply(function_sweep(name, "counting", spec__cluster__workers=ONE_WORKER))
    eventually(lambda: trial_counts(kubectl, name).get("succeeded", 0) >= 2, "two trials succeeded")
    before = {record["trial"]: record for record in read_records(kubectl, name)}
    kubectl.run("delete", "pod", head_pod(kubectl, name), "--grace-period=0", "--force")
    wait_condition(kubectl, name, "Complete")
    after = read_records(kubectl, name)
    assert sorted(record["trial"] for record in after) == [f"trial-{n:04d}" for n in range(4)]
    assert {r["trial"]: r for r in after if r["trial"] in before} == before
    resumed = [r for r in after if r["trial"] not in before]
    assert {r["outcome"] for r in resumed} == {"Succeeded"}
