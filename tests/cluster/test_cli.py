"""The command line against a real cluster, as a user with the rights of manifests/cli-role.yaml and no others."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.sweeps import function_sweep, trial_counts, wait_condition, wait_running
from support.kubectl import Kubectl
from support.patience import PATIENCE, eventually

ROLE = Path(__file__).parents[2] / "manifests" / "cli-role.yaml"
PROGRAM = str(Path(sys.executable).with_name("tuningsweep"))


@dataclass(frozen=True)
class User:
    """Calls the command with a kubeconfig of its own."""

    kubeconfig: Path

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "KUBECONFIG": str(self.kubeconfig)}
        return subprocess.run(
            [PROGRAM, *arguments],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            env=environment,
            cwd=self.kubeconfig.parent,
        )

    def says(self, *arguments: str) -> str:
        """Standard output of a command that succeeds."""
        done = self.call(*arguments)
        assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout


def kubeconfig_of(kubectl: Kubectl, account: str, path: Path) -> User:
    """A kubeconfig for a new service account, with the namespace in its context."""
    kubectl.run("create", "serviceaccount", account)
    token = kubectl.run("create", "token", account).strip()
    config = json.loads(kubectl.run("config", "view", "--raw", "--minify", "-o", "json"))
    config["users"] = [{"name": account, "user": {"token": token}}]
    config["contexts"][0]["context"] |= {"user": account, "namespace": kubectl.namespace}
    path.write_text(yaml.safe_dump(config))
    return User(path)


@pytest.fixture
def user(kubectl: Kubectl, tmp_path: Path) -> Iterator[User]:
    """A user with the documented rights in the test's namespace alone."""
    made = kubeconfig_of(kubectl, "someone", tmp_path / "kubeconfig")
    kubectl.run("apply", "-f", str(ROLE))
    account = f"{kubectl.namespace}:someone"
    kubectl.run("create", "rolebinding", "cli", "--clusterrole=tuningsweep-cli", f"--serviceaccount={account}")
    yield made
    assert not readers(kubectl), "a reader pod was left behind"


def readers(kubectl: Kubectl) -> list[dict[str, Any]]:
    """Reader pods that are there and not on their way out."""
    pods = kubectl.items("pods", "app.kubernetes.io/managed-by=tuningsweep-cli")
    return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]


def records(user: User, name: str) -> dict[str, dict[str, Any]]:
    return {record["trial"]: record for record in json.loads(user.says("trials", name, "-o", "json"))}


def behaving(name: str, *behaviours: str, **edits: Any) -> dict[str, Any]:
    """A sweep of one trial a behaviour, in that order; the hanging ones run until they are stopped."""
    parameter = {"name": "behaviour", "parameterType": "categorical", "feasibleSpace": {"list": list(behaviours)}}
    count = len(behaviours)
    return function_sweep(name, "hostile", spec__parameters=[parameter], spec__maxTrialCount=count, **edits)


@pytest.mark.long
def test_a_sweep_is_shown_steered_and_followed_to_its_end(kubectl: Kubectl, user: User) -> None:
    limits = {"memory": "1Gi", "trialDuration": "1h"}
    kubectl.apply(behaving("steered", "quick", "hangs", "ignores_sigterm", spec__limits=limits))
    wait_running(kubectl, "steered", count=2)
    wait_ended(kubectl, 1)
    assert "trial-0000" in records(user, "steered")
    assert "steered" in user.says("list")
    assert "running" in user.says("trials", "steered")

    refused = user.call("limits", "steered", "--memory", "4Mi")
    assert refused.returncode == 2
    assert "limits.memory must be at least 16Mi" in refused.stderr
    assert "512Mi" in user.says("limits", "steered", "--memory", "512Mi", "--unset", "trial-duration")
    assert kubectl.get("tuningsweep", "steered")["spec"]["limits"].get("trialDuration") is None

    kubectl.run("annotate", "tuningsweep", "steered", "tuningsweep.io/stop=trial-0099")
    user.says("stop", "steered", "trial-0001")
    annotations = kubectl.get("tuningsweep", "steered")["metadata"]["annotations"]
    assert annotations["tuningsweep.io/stop"] == "trial-0099,trial-0001"
    wait_ended(kubectl, 2)
    assert records(user, "steered")["trial-0001"]["reason"] == "StopRequested"
    assert "Stopped (StopRequested)" in user.says("why", "steered", "trial-0001")
    assert user.call("why", "steered", "trial-0099").returncode == 4
    assert "--behaviour=quick" in user.says("best", "steered", "-o", "args")

    suspend_and_resume(kubectl, user)
    user.says("stop", "steered", "trial-0002")
    seen = user.says("watch", "steered", "--no-progress")
    assert "best: trial-0000" in seen
    assert "Complete: SearchFinished" in seen
    check_finished(kubectl, user)


def wait_ended(kubectl: Kubectl, count: int) -> None:
    """Wait until so many trials have ended: asking by the command would start a Python each time."""

    def ended() -> bool:
        trials = trial_counts(kubectl, "steered")
        return trials.get("succeeded", 0) + trials.get("stopped", 0) >= count

    eventually(ended, f"{count} trials have ended")


def suspend_and_resume(kubectl: Kubectl, user: User) -> None:
    """While it is suspended it is read from its claim; what had ended stays as it was."""
    wait_running(kubectl, "steered", count=1)
    assert "steered suspended" in user.says("suspend", "steered")
    assert "already" in user.says("suspend", "steered")
    wait_condition(kubectl, "steered", "Suspended")
    eventually(lambda: not trial_counts(kubectl, "steered")["running"], "none is counted as running")
    eventually(lambda: not kubectl.items("pods", "tuningsweep.io/sweep=steered"), "no pod is left")
    before = records(user, "steered")
    assert list(before) == ["trial-0000", "trial-0001"]
    user.says("resume", "steered")
    wait_running(kubectl, "steered", count=1)
    assert records(user, "steered") == before


def check_finished(kubectl: Kubectl, user: User) -> None:
    """What is left of a sweep is read from its claim."""
    eventually(lambda: not kubectl.items("pods", "tuningsweep.io/sweep=steered"), "the cluster is gone")
    ended = records(user, "steered")
    assert {trial: record["outcome"] for trial, record in ended.items()} == {
        "trial-0000": "Succeeded",
        "trial-0001": "Stopped",
        "trial-0002": "Stopped",
    }
    assert {trial: record["attempts"] for trial, record in ended.items()} == {
        "trial-0000": 1,
        "trial-0001": 1,
        "trial-0002": 2,
    }
    assert user.says("best", "steered", "-o", "args") == "--behaviour=quick\n"
    filtered = user.says("trials", "steered", "--outcome", "Stopped", "--sort=-trial", "-o", "csv").splitlines()
    assert [line.split(",")[0] for line in filtered] == ["trial", "trial-0002", "trial-0001"]
    assert "Stopped (StopRequested)" in user.says("why", "steered", "trial-0001")
    late = user.call("limits", "steered", "--memory", "300Mi")
    assert (late.returncode, "has ended" in late.stderr) == (2, True)
    assert not readers(kubectl)


def test_refusals_are_sentences(kubectl: Kubectl, user: User, tmp_path: Path) -> None:
    stranger = kubeconfig_of(kubectl, "stranger", tmp_path / "stranger")
    refused = stranger.call("list")
    assert refused.returncode == 3
    assert "you may not do this" in refused.stderr
    assert "tuningsweeps.tuningsweep.io is forbidden" in refused.stderr

    missing = user.call("trials", "nowhere")
    assert missing.returncode == 4
    assert f"there is no TuningSweep 'nowhere' in namespace '{kubectl.namespace}'" in missing.stderr
    assert user.call("list", "--context", "none").returncode == 2
    assert "no sweeps" in user.says("list")
