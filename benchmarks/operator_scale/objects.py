"""The sweeps that the operator is measured with, and the objects it makes of one: the floor creates them without it."""

from datetime import UTC, datetime
from typing import Any

from tuningsweep_api import names
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_operator.builders.claim import build_claim
from tuningsweep_operator.builders.config_map import build_config_map
from tuningsweep_operator.builders.ray_job import build_ray_job
from tuningsweep_operator.builders.secret import build_secret
from tuningsweep_operator.certificates import make_key_pair
from tuningsweep_operator.resources import CLAIMS, CONFIG_MAPS, RAY_JOBS, SECRETS, SWEEPS, Manifest
from tuningsweep_operator.settings import Settings

NAMESPACE = "bench"
_KEY_PAIR = make_key_pair("bench", datetime(2026, 1, 1, tzinfo=UTC))
"""Of all sweeps: a client that makes one for each would be what is measured."""
Request = tuple[str, str, Manifest]
"""Method, path and body of a call to the API server."""


def sweep_name(number: int) -> str:
    """Name of the sweep at a position."""
    return f"bench-{number:05d}"


def sweep_manifest(number: int) -> Manifest:
    """A sweep as the thesis has them: two parameters, all limits, built-in linear SVM on MNIST, four trials side by side."""
    space = [
        {"name": "batch_size", "parameterType": "discrete", "feasibleSpace": {"list": ["30", "300", "3000", "30000"]}},
        {
            "name": "learning_rate",
            "parameterType": "double",
            "feasibleSpace": {"min": "0.0001", "max": "0.1", "distribution": "logUniform"},
        },
    ]
    builtin: dict[str, Any] = {
        "model": "linearSVM",
        "task": "classification",
        "dataset": {"bundled": "digits"},
        "steps": 2000,
    }
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "metadata": {"name": sweep_name(number), "namespace": NAMESPACE},
        "spec": {
            "objective": {"type": "minimize", "objectiveMetricName": "validation_loss"},
            "parameters": space,
            "trainable": {"builtin": builtin},
            "limits": {"memory": "400Mi", "meanStepTime": "50ms", "stepTime": "2s", "trialDuration": "10m"},
            "parallelTrialCount": 4,
            "maxTrialCount": 1000,
        },
    }


def create_sweep(number: int) -> list[Request]:
    """What a user sends."""
    return [("POST", SWEEPS.path(NAMESPACE), sweep_manifest(number))]


def create_ray_job(number: int) -> list[Request]:
    """What KubeRay is given."""
    return [("POST", RAY_JOBS.path(NAMESPACE), _owned(number)[-1])]


def create_all(number: int) -> list[Request]:
    """What the user and the operator send together: the least that a sweep costs the API server."""
    secret, config_map, claim, ray_job = _owned(number)
    status = {"phase": "Pending", "observedGeneration": 1}
    return [
        *create_sweep(number),
        ("POST", SECRETS.path(NAMESPACE), secret),
        ("POST", CONFIG_MAPS.path(NAMESPACE), config_map),
        ("POST", CLAIMS.path(NAMESPACE), claim),
        ("POST", RAY_JOBS.path(NAMESPACE), ray_job),
        ("PATCH", SWEEPS.path(NAMESPACE, sweep_name(number), "status"), {"status": status}),
    ]


def head_service(number: int) -> str:
    """The service by which the operator finds the driver of the sweep at a position."""
    return f"{sweep_name(number)}-head-svc"


def driver_host(number: int) -> str:
    """An address on loopback of its own, for control ports are all the same."""
    return f"127.77.{number // 250}.{number % 250 + 1}"


def run_job(number: int) -> list[Request]:
    """What KubeRay writes once a job runs."""
    status = {
        "jobDeploymentStatus": "Running",
        "jobStatus": "RUNNING",
        "rayClusterName": sweep_name(number),
        "rayClusterStatus": {"head": {"serviceName": head_service(number)}},
    }
    return [("PATCH", RAY_JOBS.path(NAMESPACE, sweep_name(number), "status"), {"status": status})]


def edit_limit(number: int, duration: str) -> Request:
    """What a user sends who edits the limit on the duration of trials."""
    return ("PATCH", SWEEPS.path(NAMESPACE, sweep_name(number)), {"spec": {"limits": {"trialDuration": duration}}})


def _owned(number: int) -> tuple[Manifest, Manifest, Manifest, Manifest]:
    manifest = sweep_manifest(number)
    manifest["metadata"] |= {"uid": f"00000000-0000-0000-0000-{number:012d}", "generation": 1}
    sweep, settings = TuningSweep.from_manifest(manifest), Settings()
    claim = build_claim(sweep)
    assert claim is not None
    return (
        build_secret(sweep, "0" * 43, _KEY_PAIR),
        build_config_map(sweep, settings),
        claim,
        build_ray_job(sweep, settings, suspend=False),
    )
