"""What the builders make for typical sweeps, against files; TUNINGSWEEP_UPDATE_GOLDEN=1 rewrites them."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.sweeps import BASE, edited
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_operator.builders.claim import build_claim
from tuningsweep_operator.builders.config_map import build_config_map
from tuningsweep_operator.builders.network_policy import build_network_policy
from tuningsweep_operator.builders.ray_job import build_ray_job
from tuningsweep_operator.builders.secret import build_secret
from tuningsweep_operator.certificates import KeyPair
from tuningsweep_operator.settings import Settings

FOLDER = Path(__file__).parent / "manifests"
METADATA = {"metadata.namespace": "team", "metadata.uid": "3f1c5a52-0000-0000-0000-000000000000"}
SWEEPS: dict[str, dict[str, Any]] = {
    "plain": {},
    "on-the-head": {
        "spec.storage": {"ephemeral": {}},
        "spec.cluster": {"workers": {"minReplicas": 0, "maxReplicas": 0}},
    },
    "autoscaled": {
        "spec.storage": {"volumeClaim": {"accessMode": "ReadWriteMany", "storageClassName": "nfs", "size": "50Gi"}},
        "spec.cluster": {
            "image": "registry.example/team/trainer:2",
            "workers": {"minReplicas": 1, "maxReplicas": 8, "trialsPerWorker": 4},
            "resourcesPerTrial": {"cpu": "2", "memory": "4Gi", "gpu": 1},
        },
    },
    "overridden": {
        "spec.tracking": {"mlflow": {"trackingUri": "https://mlflow.example"}},
        "spec.storage": {
            "uri": "s3://bucket/sweeps",
            "endpoint": "https://minio.storage:9000",
            "credentialsSecret": "bucket-keys",
        },
        "spec.suspend": True,
        "metadata.annotations": {"tuningsweep.io/stop": "trial-0001"},
        "spec.cluster.podTemplate": {
            "labels": {"team": "vision"},
            "annotations": {"note": "x"},
            "nodeSelector": {"disk": "ssd"},
            "tolerations": [{"key": "gpu", "operator": "Exists"}],
            "priorityClassName": "low",
            "imagePullSecrets": ["registry"],
            "env": [{"name": "OMP_NUM_THREADS", "value": "2"}],
            "volumes": [{"name": "cache", "emptyDir": {}}],
            "volumeMounts": [{"name": "cache", "mountPath": "/cache"}],
            "serviceAccountName": "bucket-reader",
        },
    },
}


def manifests(edits: dict[str, Any]) -> list[dict[str, Any]]:
    sweep = TuningSweep.from_manifest(edited(BASE, {**METADATA, **edits}))
    settings = Settings(
        trainer_image="trainer:1",
        mlflow_tracking_uri="http://tuningsweep-mlflow.tuning:5000",
        metrics_namespace_labels={"team": "monitoring"},
    )
    built = [
        build_secret(sweep, "token", KeyPair("certificate", "key")),
        build_config_map(sweep, settings),
        build_claim(sweep),
        build_network_policy(sweep, settings),
        build_ray_job(sweep, settings, suspend=sweep.spec.suspend),
    ]
    return [manifest for manifest in built if manifest is not None]


@pytest.mark.parametrize("name", SWEEPS)
def test_manifests_are_as_recorded(name: str) -> None:
    file = FOLDER / f"{name}.yaml"
    text = yaml.safe_dump_all(manifests(SWEEPS[name]), sort_keys=False, width=120)
    if os.environ.get("TUNINGSWEEP_UPDATE_GOLDEN") == "1":
        file.write_text(text)
    assert file.read_text() == text


@pytest.mark.parametrize("name", SWEEPS)
def test_pods_are_restricted(name: str) -> None:
    cluster = manifests(SWEEPS[name])[-1]["spec"]["rayClusterSpec"]
    templates = [
        cluster["headGroupSpec"]["template"],
        *(group["template"] for group in cluster.get("workerGroupSpecs", [])),
    ]
    for template in templates:
        assert template["spec"]["securityContext"]["runAsNonRoot"] is True
        for container in template["spec"]["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": True,
            }


def test_nothing_of_a_spec_reaches_the_entrypoint() -> None:
    jobs = [manifests(edits)[-1] for edits in SWEEPS.values()]
    assert {job["spec"]["entrypoint"] for job in jobs} == {"python -m tuningsweep_trainer.driver"}


def test_recorded_files_are_all_in_use() -> None:
    assert {file.stem for file in FOLDER.glob("*.yaml")} == set(SWEEPS)
