"""Issue E, GitOps: Argo CD's sync engine on a namespace whose sweep really runs; commits reach its trials."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.sweeps import condition, function_sweep, trial_counts, wait_running
from support.gitops import Conversation, Repository, gitops
from support.kubectl import PATIENCE, Kubectl, eventually

FILE, NAME = "base/digits-svm.yaml", "digits-svm"
MANY = {
    "spec__parameters": [{"name": "x", "parameterType": "double", "feasibleSpace": {"min": "0", "max": "1"}}],
    "spec__search": {"algorithmName": "random"},
    "spec__limits": {"memory": "1Gi"},
    "spec__maxTrialCount": 1000,
}
"""Trials of twenty seconds, and no end of them."""


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """The sample repository with one sweep, which would go on for hours and next to nothing of a core."""
    repository = Repository(tmp_path / "sweeps")
    repository.edit(FILE, spec=function_sweep(NAME, "counting", **MANY)["spec"])
    repository.edit("base/kustomization.yaml", resources=["digits-svm.yaml"])
    repository.commit("a long sweep")
    return repository


@pytest.fixture
def agent(kubectl: Kubectl, repository: Repository) -> Iterator[Conversation]:
    """The engine on the test's namespace."""
    arguments = (str(repository.folder), "overlays/laptop", kubectl.namespace)
    with gitops("agent", *arguments, environment=dict(os.environ)) as conversation:
        yield conversation


def test_a_commit_stops_running_trials_and_a_removed_file_prunes_the_running_sweep(
    kubectl: Kubectl, repository: Repository, agent: Conversation
) -> None:
    assert [resource["status"] for resource in agent.ask("sync")["resources"]] == ["Synced"]
    wait_running(kubectl, NAME)
    assert agent.ask("diff")["drifted"] == []

    repository.edit(FILE, spec__limits__meanStepTime="1ms", spec__limits__warmupSteps=1)
    repository.commit("tighter")
    agent.ask("sync")
    eventually(lambda: trial_counts(kubectl, NAME).get("limitExceeded", 0) >= 2, PATIENCE, "running trials are stopped")
    sweep = kubectl.get("tuningsweep", NAME)
    assert {stop["reason"] for stop in sweep["status"]["lastStops"]} == {"MeanStepTimeLimitExceeded"}
    assert condition(sweep, "Complete")["status"] != "True"
    assert agent.ask("diff")["drifted"] == []

    (repository.folder / FILE).unlink()
    repository.edit("base/kustomization.yaml", resources=[])
    repository.commit("no sweep")
    assert [resource["status"] for resource in agent.ask("sync")["resources"]] == ["Pruned"]
    kinds = "tuningsweeps,rayjobs,rayclusters,pods,services,secrets,persistentvolumeclaims"
    eventually(lambda: not kubectl.items(kinds), PATIENCE, "all of it went, pods too")
