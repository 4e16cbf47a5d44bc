"""Issue E, GitOps: Argo CD's sync engine keeps a namespace as a git repository says; commits reach what runs in it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.sweeps import condition, function_sweep, wait_condition, wait_running, wait_trials
from support.gitops import Conversation, Repository, gitops
from support.kubectl import Kubectl
from support.patience import eventually

NAME, WAITING = "digits-svm", "diabetes-svm"
CHURN = 720
"""Status writes: an hour of them at one every five seconds."""
MANY = {
    "spec__parameters": [{"name": "x", "parameterType": "double", "feasibleSpace": {"min": "0", "max": "1"}}],
    "spec__search": {"algorithmName": "random"},
    "spec__limits": {"memory": "1Gi"},
    "spec__maxTrialCount": 1000,
}
"""Trials of twenty seconds, and no end of them."""


def file(name: str) -> str:
    """Where the repository has a sweep."""
    return f"base/{name}.yaml"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """The sample repository; of its sweeps one would go on for hours on next to nothing of a core, the other waits."""
    repository = Repository(tmp_path / "sweeps")
    repository.edit(file(NAME), spec=function_sweep(NAME, "counting", **MANY)["spec"])
    repository.edit(file(WAITING), spec__suspend=True)
    repository.commit("a long sweep and one that waits")
    return repository


@pytest.fixture
def agent(kubectl: Kubectl, repository: Repository) -> Iterator[Conversation]:
    """The engine on the test's namespace."""
    arguments = (str(repository.folder), "overlays/laptop", kubectl.namespace)
    with gitops("agent", *arguments, environment=dict(os.environ)) as conversation:
        yield conversation


def synced(agent: Conversation) -> dict[str, str]:
    """Sync; what became of each sweep, by name."""
    return {resource["name"]: resource["status"] for resource in agent.ask("sync")["resources"]}


def no_drift(agent: Conversation) -> None:
    answer = agent.ask("diff")
    assert answer["compared"] > 0
    assert answer["drifted"] == []


def names(kubectl: Kubectl, kind: str) -> set[str]:
    return {item["metadata"]["name"] for item in kubectl.items(kind)}


def observed(kubectl: Kubectl, name: str) -> int:
    """The generation of a sweep that its status tells of."""
    return int(kubectl.get("tuningsweep", name).get("status", {}).get("observedGeneration", 0))


def test_sweeps_follow_the_repository(kubectl: Kubectl, repository: Repository, agent: Conversation) -> None:
    assert synced(agent) == {NAME: "Synced", WAITING: "Synced"}
    wait_running(kubectl, NAME)
    wait_condition(kubectl, WAITING, "Suspended")
    assert names(kubectl, "rayjobs") == {NAME, WAITING}
    no_drift(agent)

    a_commit_takes_hold(kubectl, repository, agent)
    status_churn_is_no_drift(kubectl, agent)

    for name in (NAME, WAITING):
        (repository.folder / file(name)).unlink()
    repository.edit("base/kustomization.yaml", resources=[])
    repository.commit("no sweeps")
    assert synced(agent) == {NAME: "Pruned", WAITING: "Pruned"}
    kinds = "tuningsweeps,rayjobs,rayclusters,pods,services,secrets,persistentvolumeclaims"
    eventually(lambda: not kubectl.items(kinds), "all of it went, pods too")


def a_commit_takes_hold(kubectl: Kubectl, repository: Repository, agent: Conversation) -> None:
    """Tighter limits stop running trials, and are what a driver reads that is yet to start."""
    repository.edit(file(NAME), spec__limits__meanStepTime="1ms", spec__limits__warmupSteps=1)
    repository.edit(file(WAITING), spec__limits__meanStepTime="40ms")
    repository.commit("tighter")
    assert {drift["how"] for drift in agent.ask("diff")["drifted"]} == {"client", "server"}, "a commit is to be applied"
    synced(agent)
    wait_trials(kubectl, NAME, "limitExceeded", 2)
    sweep = kubectl.get("tuningsweep", NAME)
    assert {stop["reason"] for stop in sweep["status"]["lastStops"]} == {"MeanStepTimeLimitExceeded"}
    assert condition(sweep, "Complete")["status"] != "True"
    eventually(lambda: observed(kubectl, WAITING) == 2, "the change was seen")
    told = kubectl.get("configmap", f"{WAITING}-sweep")["data"]["sweep.json"]
    assert '"meanStepTime": "40ms"' in told
    no_drift(agent)


def status_churn_is_no_drift(kubectl: Kubectl, agent: Conversation) -> None:
    """Many writes of a status, each another one, beside those with which the operator puts it right; and a request."""
    for number in range(CHURN):
        kubectl.merge_status("tuningsweep", WAITING, {"trials": {"total": 1000, "succeeded": number}})
    kubectl.run("annotate", "tuningsweep", WAITING, "tuningsweep.io/stop=trial-0001")
    no_drift(agent)
    assert synced(agent) == {NAME: "Synced", WAITING: "Synced"}
