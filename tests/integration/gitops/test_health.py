"""Health of a sweep to kstatus, to Flux's expressions and to Argo CD's script, each judged by its own code."""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from support.gitops import GITOPS, Conversation, gitops
from tuningsweep_api.status import TuningSweepStatus
from tuningsweep_operator.status.fold import fold
from tuningsweep_operator.status.invalid_spec import refuse
from tuningsweep_operator.status.observation import Observation
from unit.operator.observations import NOW, SETTINGS, ray_job, state, sweep

RESULT = {"succeeded": True, "reason": "SearchFinished", "message": "all trials ended"}
FAILED = {"succeeded": False, "reason": "NoTrialSucceeded", "message": "none succeeded"}
NO_QUOTA = [{"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: tight"}]
QUEUED = {
    "metadata": {"name": "digits-svm", "labels": {"kueue.x-k8s.io/queue-name": "q"}},
    "spec": {"suspend": True},
    "status": {"jobDeploymentStatus": "Suspended"},
}
RUNNING = ray_job("Running")
SEEN: dict[str, tuple[Observation, dict[str, Any]]] = {
    "creating": (Observation(ray_job=ray_job("Initializing")), {}),
    "running": (Observation(ray_job=RUNNING, state=state()), {}),
    "complete": (Observation(ray_job=RUNNING, state=state(result=RESULT)), {}),
    "failed": (Observation(ray_job=RUNNING, state=state(result=FAILED)), {}),
    "suspended": (Observation(ray_job=ray_job("Suspended")), {"spec__suspend": True}),
    "queued": (Observation(ray_job=QUEUED), {}),
    "no-quota": (Observation(ray_job=ray_job("Initializing"), ray_cluster={"status": {"conditions": NO_QUOTA}}), {}),
    "lost": (Observation(ray_job=RUNNING, driver_error="no answer", driver_silence=99.0), {}),
}
WANTED = {
    "creating": ("InProgress", "InProgress", "Progressing"),
    "running": ("Current", "Current", "Healthy"),
    "complete": ("Current", "Current", "Healthy"),
    "failed": ("Current", "Failed", "Degraded"),
    "suspended": ("Current", "Current", "Suspended"),
    "queued": ("Current", "Current", "Suspended"),
    "no-quota": ("InProgress", "InProgress", "Degraded"),
    "lost": ("InProgress", "InProgress", "Degraded"),
}
"""To kstatus, Flux and Argo CD. What stalls before trials run is in progress to the first two, until their timeout."""


@pytest.fixture(scope="module")
def judge() -> Iterator[Conversation]:
    """The rig's program with the files that we ship."""
    files = (str(GITOPS / "argocd" / "health.lua"), str(GITOPS / "flux" / "sweeps.yaml"))
    with gitops("health", *files, environment=dict(os.environ)) as conversation:
        yield conversation


def shown(status: TuningSweepStatus, **edits: Any) -> str:
    """A sweep with its status, as the API server would show it, on one line."""
    wanted = sweep(**edits)
    manifest = {
        "apiVersion": wanted.api_version,
        "kind": wanted.kind,
        "metadata": wanted.metadata.model_dump(),
        "spec": wanted.spec.dump(),
        "status": status.dump(),
    }
    return json.dumps(manifest)


@pytest.mark.parametrize("name", WANTED)
def test_health_follows_the_sweep(judge: Conversation, name: str) -> None:
    seen, edits = SEEN[name]
    verdict = judge.ask(shown(fold(sweep(**edits), TuningSweepStatus(), seen, SETTINGS, NOW), **edits))
    assert (verdict["kstatus"], verdict["flux"], verdict["argo"]) == WANTED[name], verdict


def test_a_change_that_was_not_seen_yet_is_in_progress(judge: Conversation) -> None:
    seen = Observation(ray_job=RUNNING, state=state())
    status = fold(sweep(), TuningSweepStatus(), seen, SETTINGS, NOW)
    verdict = judge.ask(shown(status, metadata__generation=3))
    assert (verdict["kstatus"], verdict["flux"], verdict["argo"]) == ("InProgress", "InProgress", "Progressing")


def test_an_invalid_spec_is_a_failure(judge: Conversation) -> None:
    making = fold(sweep(), TuningSweepStatus(), SEEN["creating"][0], SETTINGS, NOW)
    verdict = judge.ask(shown(refuse(making, ["spec.parameters: write one"], 2, NOW, runs=False)))
    assert (verdict["kstatus"], verdict["flux"], verdict["argo"]) == WANTED["failed"], verdict


def test_a_sweep_without_a_status_is_progressing(judge: Conversation) -> None:
    assert judge.ask(shown(TuningSweepStatus()))["argo"] == "Progressing"


def test_the_message_is_the_conditions(judge: Conversation) -> None:
    seen, _ = SEEN["failed"]
    verdict = judge.ask(shown(fold(sweep(), TuningSweepStatus(), seen, SETTINGS, NOW)))
    assert verdict["argoMessage"] == "NoTrialSucceeded: none succeeded"
