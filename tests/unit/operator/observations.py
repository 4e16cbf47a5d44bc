"""Observations for tests of the status fold: a sweep, RayJobs as KubeRay leaves them, driver states."""

from datetime import UTC, datetime
from typing import Any

from support.sweeps import BASE, edited
from tuningsweep_api.messages import SweepState
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_operator.settings import Settings

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SETTINGS = Settings(trainer_image="trainer:1")
METADATA = {
    "metadata.namespace": "team",
    "metadata.uid": "3f1c5a52-0000-0000-0000-000000000000",
    "metadata.generation": 2,
}


def sweep(**edits: Any) -> TuningSweep:
    """The base sweep in namespace `team`, edited by `spec__suspend=True` and the like."""
    paths = {path.replace("__", "."): value for path, value in edits.items()}
    return TuningSweep.from_manifest(edited(BASE, {**METADATA, **paths}))


def ray_job(deployment: str, **status: Any) -> dict[str, Any]:
    """A RayJob with a status as of KubeRay 1.6."""
    return {
        "metadata": {
            "name": "digits-svm",
            "namespace": "team",
            "generation": 1,
            "resourceVersion": "5",
            "ownerReferences": [{"uid": METADATA["metadata.uid"]}],
        },
        "status": {"jobDeploymentStatus": deployment, "rayClusterName": "digits-svm-abcde", **status},
    }


def pod(name: str = "head", **status: Any) -> dict[str, Any]:
    """A pod of that RayJob's cluster as the store keeps it."""
    return {"metadata": {"name": name, "labels": {"ray.io/cluster": "digits-svm-abcde"}}, "status": status}


def state(**fields: Any) -> SweepState:
    """A driver's state; camelCase fields."""
    base: dict[str, Any] = {
        "sweepUid": METADATA["metadata.uid"],
        "driverId": "d1",
        "startTime": "2026-01-02T03:00:00Z",
        "desiredDigest": "abc",
        "trials": {"total": 4, "running": 2, "pending": 1, "succeeded": 1},
    }
    return SweepState.model_validate({**base, **fields})


def stop(sequence: int, trial: str, reason: str = "MemoryLimitExceeded", **fields: Any) -> dict[str, Any]:
    """A stop as the driver tells it."""
    base = {"outcome": "LimitExceeded", "observed": 432013312.0, "limit": 419430400.0, "time": "2026-01-02T03:03:00Z"}
    return {"sequence": sequence, "trial": trial, "reason": reason, **base, **fields}
