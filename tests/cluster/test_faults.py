"""Issue A(b), (e), (f), (g): limits tightened, operator killed, head pod killed, sweep deleted while the operator is away.

(d), suspend and resume, is in test_object_storage.py by kubectl and in test_cli.py by the command line, on a claim.
"""

from collections.abc import Iterator

import pytest

from cluster.sweeps import (
    ONE_WORKER,
    function_sweep,
    head_pod,
    read_records,
    stop_events,
    tell_trials,
    trial_counts,
    wait_condition,
    wait_running,
    wait_trials,
)
from support.kubectl import Kubectl
from support.patience import eventually
from support.sweeps import discrete

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
    eventually(lambda: not SYSTEM.items("pods", SELECTOR), "operator gone")


@pytest.mark.disruptive
def test_limits_hold_and_deletion_works_while_the_operator_is_away(kubectl: Kubectl, operator_away: None) -> None:
    name = "alone"
    behaviours = {
        "name": "behaviour",
        "parameterType": "categorical",
        "feasibleSpace": {"list": ["quick", "hangs_when_told"]},
    }
    edits = {"parameters": [behaviours], "maxTrialCount": 2, "limits": {"stepTime": "20s"}}
    kubectl.apply(function_sweep(name, "hostile", **{f"spec__{field}": value for field, value in edits.items()}))
    kubectl.apply(function_sweep("gone", "until_told", spec__parallelTrialCount=1))
    wait_running(kubectl, name)
    wait_running(kubectl, "gone")
    take_operator_away()
    before = trial_counts(kubectl, name)
    tell_trials(kubectl, name)
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


STEPS = ("50", "100000", "51", "52", "53", "100001")
"""Of a tenth of a second each: the second trial and the last go on until they are stopped."""


@pytest.mark.long
def test_a_sweep_is_steered_and_resumes_after_its_head_pod_is_killed(kubectl: Kubectl) -> None:
    """One trial is stopped on request, the head killed, and tightened limits stop the last one."""
    name = "headless"
    edits = {"parameters": [discrete("steps", *STEPS)], "maxTrialCount": 6, "limits": {"meanStepTime": "5s"}}
    edits |= {"trainable.arguments": {"x": "0"}, "cluster.workers": ONE_WORKER}
    kubectl.apply(function_sweep(name, "counting", **{f"spec__{field}": value for field, value in edits.items()}))
    wait_running(kubectl, name, count=2)
    stop_one(kubectl, name, "trial-0001")

    wait_trials(kubectl, name, "succeeded", 2)
    before = {record["trial"]: record for record in read_records(kubectl, name)}
    kubectl.run("delete", "pod", head_pod(kubectl, name), "--grace-period=0", "--force")
    wait_trials(kubectl, name, "succeeded", 4)
    wait_running(kubectl, name)

    kubectl.patch("tuningsweep", name, {"spec": {"limits": {"meanStepTime": "50ms", "warmupSteps": 1}}})
    wait_condition(kubectl, name, "Complete")
    records = read_records(kubectl, name)
    after = {record["trial"]: record for record in records}
    assert len(records) == len(after) == 6, "a trial has two records"
    assert {trial: after[trial] for trial in before} == before
    assert {trial: (record["outcome"], record["reason"]) for trial, record in after.items()} == {
        **{f"trial-{number:04d}": ("Succeeded", "Completed") for number in (0, 2, 3, 4)},
        "trial-0001": ("Stopped", "StopRequested"),
        "trial-0005": ("LimitExceeded", "MeanStepTimeLimitExceeded"),
    }


def stop_one(kubectl: Kubectl, name: str, trial: str) -> None:
    """Ask for the stop of a trial; status and Events tell of it."""
    kubectl.run("annotate", "tuningsweep", name, f"tuningsweep.io/stop={trial}")
    wait_trials(kubectl, name, "stopped", 1)
    stop = kubectl.get("tuningsweep", name)["status"]["lastStops"][0]
    assert (stop["trial"], stop["outcome"], stop["reason"]) == (trial, "Stopped", "StopRequested")
    assert any(trial in event["message"] for event in stop_events(kubectl, name))
