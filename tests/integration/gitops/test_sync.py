"""Argo CD's sync engine keeps a namespace as a git repository says, with real KubeRay and our operator at work in it."""

import http.client
import json
import os
import ssl
from collections.abc import Iterator
from typing import Any

import pytest

from support.control_plane import ControlPlane, running_control_plane
from support.controllers import running_kuberay
from support.gitops import Conversation, Repository, gitops
from support.kubectl import eventually
from support.operator_process import running_operator

SECONDS = 90
OVERLAY = "overlays/laptop"
CHURN = 720
"""Status writes: an hour of them at one every five seconds."""


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane with KubeRay and our operator."""
    folder = tmp_path_factory.mktemp("plane")
    with running_control_plane(folder, controllers=True) as plane, running_kuberay(plane), running_operator(plane):
        plane.kubectl("create", "namespace", "team")
        yield plane


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """The sample repository, committed."""
    return Repository(tmp_path_factory.mktemp("git") / "sweeps")


@pytest.fixture(scope="module")
def agent(plane: ControlPlane, repository: Repository) -> Iterator[Conversation]:
    """The engine on the namespace `team`."""
    environment = {**os.environ, "KUBECONFIG": str(plane.kubeconfig)}
    with gitops("agent", str(repository.folder), OVERLAY, "team", environment=environment) as conversation:
        yield conversation


def names(plane: ControlPlane, kind: str) -> set[str]:
    items = json.loads(plane.kubectl("get", kind, "--namespace=team", "-o", "json"))["items"]
    return {item["metadata"]["name"] for item in items}


def sweep(plane: ControlPlane, name: str) -> dict[str, Any]:
    return dict(json.loads(plane.kubectl("get", "tuningsweep", name, "--namespace=team", "-o", "json")))


def synced(agent: Conversation) -> dict[str, str]:
    """Sync; what became of each sweep, by name."""
    return {resource["name"]: resource["status"] for resource in agent.ask("sync")["resources"]}


def no_drift(agent: Conversation) -> None:
    answer = agent.ask("diff")
    assert answer["compared"] > 0
    assert answer["drifted"] == []


def churn(plane: ControlPlane, name: str) -> None:
    """Many writes of the status, each another one, beside those with which the operator puts it right."""
    host = plane.url.removeprefix("https://")
    connection = http.client.HTTPSConnection(host, timeout=30, context=ssl._create_unverified_context())
    headers = {"Authorization": f"Bearer {plane.token}", "Content-Type": "application/json-patch+json"}
    path = f"/apis/tuningsweep.io/v1alpha1/namespaces/team/tuningsweeps/{name}/status"
    for number in range(CHURN):
        write = {"op": "add", "path": "/status/trials", "value": {"total": 1000, "succeeded": number}}
        connection.request("PATCH", path, json.dumps([write]), headers)
        with connection.getresponse() as answer:
            assert answer.status == 200, answer.read()
            answer.read()
    connection.close()


def test_sweeps_follow_the_repository(plane: ControlPlane, repository: Repository, agent: Conversation) -> None:
    assert synced(agent) == {"digits-svm": "Synced", "diabetes-svm": "Synced"}
    both = {"digits-svm", "diabetes-svm"}
    eventually(lambda: names(plane, "rayjobs") == both, SECONDS, "the operator and KubeRay are at work")
    eventually(lambda: sweep(plane, "digits-svm").get("status", {}).get("rayClusterName"), SECONDS, "a status")
    no_drift(agent)

    repository.edit("base/digits-svm.yaml", spec__maxTrialCount=8)
    repository.edit("base/diabetes-svm.yaml", spec__limits__meanStepTime="40ms")
    repository.commit("tighter")
    assert {d["how"] for d in agent.ask("diff")["drifted"]} == {"client", "server"}, "a commit is to be applied"
    synced(agent)
    assert sweep(plane, "digits-svm")["spec"]["maxTrialCount"] == 8
    eventually(lambda: '"meanStepTime": "40ms"' in told(plane, "diabetes-svm"), SECONDS, "the driver is told the limit")
    eventually(lambda: sweep(plane, "digits-svm")["status"]["observedGeneration"] == 2, SECONDS, "the change was seen")
    no_drift(agent)

    (repository.folder / "base" / "diabetes-svm.yaml").unlink()
    repository.edit("base/kustomization.yaml", resources=["digits-svm.yaml"])
    repository.commit("one less")
    assert synced(agent)["diabetes-svm"] == "Pruned"
    eventually(lambda: names(plane, "tuningsweeps,rayjobs,configmaps") <= {*left()}, SECONDS, "all of it went")


def told(plane: ControlPlane, name: str) -> str:
    """What the driver reads."""
    config_map = json.loads(plane.kubectl("get", "configmap", f"{name}-sweep", "--namespace=team", "-o", "json"))
    return str(config_map["data"]["sweep.json"])


def left() -> tuple[str, ...]:
    """Names of what belongs to the sweep that stays, and of what every namespace has."""
    return ("digits-svm", "digits-svm-sweep", "kube-root-ca.crt")


def test_status_churn_is_no_drift(plane: ControlPlane, agent: Conversation) -> None:
    synced(agent)
    churn(plane, "digits-svm")
    plane.kubectl("annotate", "tuningsweep", "digits-svm", "--namespace=team", "tuningsweep.io/stop=trial-0001")
    no_drift(agent)
    assert synced(agent) == {"digits-svm": "Synced"}
