"""The RayJob that runs a sweep: KubeRay makes the cluster, submits the driver, retries it, frees the cluster."""

from typing import Any, Final

from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_operator.builders.common import container_security, owned_metadata, scratch_mount
from tuningsweep_operator.builders.pods import build_head_pod, build_worker_pod
from tuningsweep_operator.resources import Manifest
from tuningsweep_operator.settings import Settings

ENTRYPOINT: Final = "python -m tuningsweep_trainer.driver"
"""A constant: Ray runs it in a shell, so nothing of a spec may be in it."""
RUNTIME_ENVIRONMENT: Final = 'env_vars: {RAY_kill_child_processes_on_worker_exit_with_raylet_subreaper: "false"}'
"""Off for the job's own processes, on for the raylets (see builders.pods). A Ray process that has it on ignores SIGCHLD, so
the one that waits for the driver reads every exit code as 0, and a crashed driver would count as SUCCEEDED."""
OBJECT_STORE_BYTES: Final = "100000000"
"""Trials exchange next to nothing through Ray's object store; what it would reserve is wanted for data sets."""


def build_ray_job(sweep: TuningSweep, settings: Settings, *, suspend: bool) -> Manifest:
    """The manifest. `suspend` frees the cluster; KubeRay resumes with a new one and a new job."""
    metadata = owned_metadata(sweep, sweep.metadata.name, "sweep")
    metadata["labels"] |= sweep.queue_labels
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayJob",
        "metadata": metadata,
        "spec": {
            "submissionMode": "HTTPMode",
            "entrypoint": ENTRYPOINT,
            "runtimeEnvYAML": RUNTIME_ENVIRONMENT,
            "suspend": suspend,
            "backoffLimit": sweep.spec.backoff_limit,
            "shutdownAfterJobFinishes": True,
            "ttlSecondsAfterFinished": 0,
            "rayClusterSpec": _ray_cluster(sweep, settings),
        },
    }


def _ray_cluster(sweep: TuningSweep, settings: Settings) -> dict[str, Any]:
    workers = sweep.spec.cluster.workers
    autoscaled = workers.min_replicas < workers.max_replicas
    runs_trials = workers.max_replicas == 0
    start = {"dashboard-host": "0.0.0.0", "object-store-memory": OBJECT_STORE_BYTES}  # noqa: S104 - a pod's own address
    start["num-cpus"] = str(sweep.spec.cluster.ray_cpus) if runs_trials else "0"
    if not autoscaled:  # else KubeRay sets it, and runs the autoscaler in a container of its own
        start["no-monitor"] = "true"  # Ray's autoscaler, a process with nothing to scale
    head = {
        "serviceType": "ClusterIP",
        "rayStartParams": start,
        "template": build_head_pod(sweep, settings, runs_trials=runs_trials, autoscaled=autoscaled),
    }
    cluster: dict[str, Any] = {"rayVersion": settings.ray_version, "headGroupSpec": head}
    if settings.ray_authentication:
        cluster["authOptions"] = {"mode": "token"}  # KubeRay makes the token, a Secret beside the RayCluster
    if not runs_trials:
        cluster["workerGroupSpecs"] = [_worker_group(sweep, settings)]
    if autoscaled:
        cluster["enableInTreeAutoscaling"] = True
        cluster["autoscalerOptions"] = {
            "securityContext": container_security(),
            "volumeMounts": [scratch_mount()],
            "resources": {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"memory": "512Mi"}},
        }
    return cluster


def _worker_group(sweep: TuningSweep, settings: Settings) -> dict[str, Any]:
    workers = sweep.spec.cluster.workers
    return {
        "groupName": "trainers",
        "replicas": workers.min_replicas,
        "minReplicas": workers.min_replicas,
        "maxReplicas": workers.max_replicas,
        "rayStartParams": {"num-cpus": str(sweep.spec.cluster.ray_cpus), "object-store-memory": OBJECT_STORE_BYTES},
        "template": build_worker_pod(sweep, settings),
    }
