"""Pod templates of head and workers: hardened container, mounts, environment, and the user's overrides over them."""

import math
from collections.abc import Container
from decimal import Decimal
from typing import Any, Final

from tuningsweep_api import names
from tuningsweep_api.quantities import quantity_bytes, quantity_value
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_operator.builders.common import (
    SCRATCH,
    claim_name,
    config_map_name,
    container_security,
    labels,
    pod_security,
    scratch_mount,
    scratch_volume,
    secret_name,
)
from tuningsweep_operator.settings import Settings

HEAD_PORTS: Final = {
    "gcs-server": 6379,
    "dashboard": 8265,
    "client": 10001,
    "metrics": 8080,
    names.CONTROL_PORT_NAME: names.CONTROL_PORT,
    names.METRICS_PORT_NAME: names.METRICS_PORT,
}
"""All of them: naming one port drops KubeRay's own defaults from the head service."""
WORKER_PORTS: Final = {"metrics": 8080, names.METRICS_PORT_NAME: names.METRICS_PORT}
READINESS: Final = {
    "httpGet": {"path": "/api/healthz", "port": 52365},
    "initialDelaySeconds": 2,
    "periodSeconds": 2,
    "timeoutSeconds": 5,
    "failureThreshold": 10,
}
"""KubeRay's own probe, sooner and more often: it submits the driver once all pods are ready, and first looks after 10 s."""

ENVIRONMENT: Final = {
    # The raylet ends and reaps what a dead worker leaves; PID 1 of the container reaps nothing.
    "RAY_kill_child_processes_on_worker_exit_with_raylet_subreaper": "true",
    # Short of memory, Ray would kill a supervisor; without that the kernel kills a training process, its first victim.
    "RAY_memory_monitor_refresh_ms": "0",
    # Otherwise Ray waits, until it is killed, for trials that nobody has stopped: suspended pods would stay 30 s longer.
    "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0",
    "RAY_JOB_STOP_SIGNAL": "SIGINT",
    "RAY_JOB_STOP_WAIT_TIME_S": "30",
    "RAY_USAGE_STATS_ENABLED": "0",
    "HOME": SCRATCH,  # the image is read-only
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
}
THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def trials_cpu(sweep: TuningSweep) -> Decimal:
    """Cores of the trials of one pod."""
    return quantity_value(sweep.spec.cluster.resources_per_trial.cpu) * sweep.spec.cluster.workers.trials_per_worker


def build_head_pod(sweep: TuningSweep, settings: Settings, *, runs_trials: bool, autoscaled: bool) -> dict[str, Any]:
    """Pod template of the head, where the driver runs."""
    container = _container(sweep, settings, "ray-head", HEAD_PORTS)
    container["resources"] = _resources(sweep, settings.head_cpu, settings.head_memory, with_trials=runs_trials)
    container["volumeMounts"] += [
        {"name": "sweep", "mountPath": names.SWEEP_FILE.rsplit("/", 1)[0], "readOnly": True},
        {"name": "control", "mountPath": names.TOKEN_FILE.rsplit("/", 1)[0], "readOnly": True},
    ]
    template = _template(sweep, container, "driver")
    template["spec"]["volumes"] += [
        {"name": "sweep", "configMap": {"name": config_map_name(sweep.metadata.name)}},
        {"name": "control", "secret": {"secretName": secret_name(sweep.metadata.name)}},
    ]
    # The autoscaler container beside the head scales through the API server; nothing else in these pods calls it.
    template["spec"]["automountServiceAccountToken"] = autoscaled
    return template


def build_worker_pod(sweep: TuningSweep, settings: Settings) -> dict[str, Any]:
    """Pod template of a worker, which runs trialsPerWorker trials."""
    container = _container(sweep, settings, "ray-worker", WORKER_PORTS)
    container["resources"] = _resources(sweep, settings.worker_cpu, settings.worker_memory, with_trials=True)
    template = _template(sweep, container, "trainer")
    if needs_one_node(sweep):
        template["spec"]["affinity"] = _beside_head(sweep, template["spec"].get("affinity", {}))
    return template


def _container(sweep: TuningSweep, settings: Settings, name: str, ports: dict[str, int]) -> dict[str, Any]:
    cluster = sweep.spec.cluster
    overrides = cluster.pod_template
    # By name, for KubeRay's schema takes each once; the last counts, as in a pod.
    theirs = {variable.name: variable.dump() for variable in overrides.env}
    ours = ENVIRONMENT | _thread_environment(sweep) | _storage_environment(sweep, theirs)
    environment = [{"name": key, "value": value} for key, value in ours.items() if key not in theirs]
    container: dict[str, Any] = {
        "name": name,
        "image": cluster.image or settings.trainer_image,
        "imagePullPolicy": cluster.image_pull_policy.value,
        "ports": [{"name": port, "containerPort": number} for port, number in ports.items()],
        "readinessProbe": READINESS,
        "env": [*environment, *theirs.values()],
        "securityContext": container_security(),
        "volumeMounts": [scratch_mount(), *_results_mount(sweep), *overrides.volume_mounts],
    }
    secret = sweep.spec.storage.credentials_secret
    return container if secret is None else container | {"envFrom": [{"secretRef": {"name": secret}}]}


def _thread_environment(sweep: TuningSweep) -> dict[str, str]:
    """As many threads as a trial has whole cores: by themselves the libraries take one for each core of the node."""
    cores = math.floor(quantity_value(sweep.spec.cluster.resources_per_trial.cpu))
    return dict.fromkeys(THREADS, str(max(1, cores)))


def _storage_environment(sweep: TuningSweep, theirs: Container[str]) -> dict[str, str]:
    """What pyarrow, and MLflow's client besides, read to find the object storage; `theirs` names the user's variables."""
    storage = sweep.spec.storage
    told = {} if storage.endpoint is None else {"AWS_ENDPOINT_URL": storage.endpoint}
    if storage.credentials_secret is not None or "AWS_ACCESS_KEY_ID" in theirs:
        # The keys are known: outside AWS a client would wait four seconds for a service that has others.
        told["AWS_EC2_METADATA_DISABLED"] = "true"
    return told


def _template(sweep: TuningSweep, container: dict[str, Any], component: str) -> dict[str, Any]:
    overrides = sweep.spec.cluster.pod_template
    spec: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": pod_security(),
        "terminationGracePeriodSeconds": 30,
        "containers": [container],
        "volumes": [scratch_volume(), *_results_volume(sweep), *(volume.dump() for volume in overrides.volumes)],
    }
    chosen = {
        "nodeSelector": overrides.node_selector,
        "tolerations": overrides.tolerations,
        "affinity": overrides.affinity,
        "priorityClassName": overrides.priority_class_name,
        "serviceAccountName": overrides.service_account_name,
        "imagePullSecrets": [{"name": name} for name in dict.fromkeys(overrides.image_pull_secrets)],
    }
    spec |= {field: value for field, value in chosen.items() if value}
    metadata: dict[str, Any] = {"labels": {**overrides.labels, **labels(sweep, component)}}
    if overrides.annotations:
        metadata["annotations"] = dict(overrides.annotations)
    return {"metadata": metadata, "spec": spec}


def _results_mount(sweep: TuningSweep) -> list[dict[str, Any]]:
    return [] if sweep.spec.storage.uri else [{"name": "results", "mountPath": names.RESULTS_MOUNT}]


def _results_volume(sweep: TuningSweep) -> list[dict[str, Any]]:
    if sweep.spec.storage.uri:
        return []
    claim = claim_name(sweep)
    source = {"emptyDir": {}} if claim is None else {"persistentVolumeClaim": {"claimName": claim}}
    return [{"name": "results", **source}]


def _resources(sweep: TuningSweep, cpu: str, memory: str, *, with_trials: bool) -> dict[str, Any]:
    """Requests of a pod. Memory is limited too; CPU is not: throttling would distort the step times that are judged."""
    per_trial = sweep.spec.cluster.resources_per_trial
    count = sweep.spec.cluster.workers.trials_per_worker if with_trials else 0
    millicores = int((quantity_value(cpu) + quantity_value(per_trial.cpu) * count) * 1000)
    mebibytes = (quantity_bytes(memory) + quantity_bytes(per_trial.memory) * count) >> 20
    requests = {"cpu": f"{millicores}m", "memory": f"{mebibytes}Mi"}
    limits = {"memory": f"{mebibytes}Mi"}
    if per_trial.gpu and count:
        requests["nvidia.com/gpu"] = limits["nvidia.com/gpu"] = str(per_trial.gpu * count)
    return {"requests": requests, "limits": limits}


def needs_one_node(sweep: TuningSweep) -> bool:
    """Whether head and workers must be on one node, for a claim that can be mounted on one only."""
    claim = sweep.spec.storage.volume_claim
    return claim is not None and claim.access_mode.value == "ReadWriteOnce"


def _beside_head(sweep: TuningSweep, affinity: dict[str, Any]) -> dict[str, Any]:
    """The affinity with a term that keeps the pod on the head's node: the claim can be mounted on one node only.

    One that is no affinity is left as it is, for the API server to refuse in its words.
    """
    field = "requiredDuringSchedulingIgnoredDuringExecution"
    pods = affinity.get("podAffinity") or {}
    if not isinstance(pods, dict) or not isinstance(pods.get(field) or [], list):
        return affinity
    term = {
        "topologyKey": "kubernetes.io/hostname",
        "labelSelector": {
            "matchLabels": {names.LABEL_SWEEP: sweep.metadata.name, "ray.io/node-type": "head"},
        },
    }
    return {**affinity, "podAffinity": {**pods, field: [*(pods.get(field) or []), term]}}
