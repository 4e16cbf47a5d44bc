"""`spec.cluster`: the Ray cluster a sweep runs on. Ignored by `tuningsweep run`, which uses the machine it is on."""

import math
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import Field, WithJsonSchema

from tuningsweep_api.model import Model
from tuningsweep_api.names import OBJECT_NAME_PATTERN
from tuningsweep_api.quantities import Quantity, quantity_value
from tuningsweep_api.spec.rules import Rule, RuledModel, exactly_one

Labels = Annotated[dict[str, Annotated[str, Field(max_length=256)]], Field(max_length=64)]
ObjectName = Annotated[str, Field(pattern=OBJECT_NAME_PATTERN, max_length=253)]
KubernetesObject = Annotated[
    dict[str, Any], WithJsonSchema({"type": "object", "x-kubernetes-preserve-unknown-fields": True})
]
"""A part of the pod API that Kubernetes itself validates when the pod is made."""


RESERVED_VOLUMES: Final = ("control", "ray-logs", "results", "scratch", "shared-mem", "sweep")
"""Volumes that operator and KubeRay add to the pods."""


class ImagePullPolicy(StrEnum):
    """Kubernetes' image pull policies."""

    ALWAYS = "Always"
    IF_NOT_PRESENT = "IfNotPresent"
    NEVER = "Never"


_WORKERS_RULES = (
    Rule(
        "self.minReplicas <= self.maxReplicas",
        "workers.minReplicas must not be above workers.maxReplicas",
        lambda w: w.min_replicas <= w.max_replicas,
    ),
)


class Workers(RuledModel):
    """Worker pods. With minReplicas below maxReplicas Ray's autoscaler adds workers while trials wait."""

    RULES = _WORKERS_RULES

    min_replicas: int = Field(default=1, ge=0, le=1000)
    """Worker pods kept while the sweep runs."""
    max_replicas: int = Field(default=1, ge=0, le=1000)
    """Most worker pods; 0 runs the trials on the head pod."""
    trials_per_worker: int = Field(default=1, ge=1, le=64)
    """Trials that one worker pod runs at a time; the pod asks for this many times resourcesPerTrial."""


class ResourcesPerTrial(Model):
    """What the scheduler sets aside for each trial."""

    cpu: Quantity = "1"
    """CPU cores, e.g. 1 or 500m; OMP_NUM_THREADS and its like are the whole cores, at least 1."""
    memory: Quantity = "1Gi"
    """Memory request and limit of the pod's share for one trial; keep it above limits.memory plus about 512Mi."""
    gpu: int = Field(default=0, ge=0, le=16)
    """GPUs (nvidia.com/gpu)."""


class EnvVar(Model):
    """An environment variable; a value, or a reference as in a pod."""

    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=128)
    """Name of the variable."""
    value: str | None = Field(default=None, max_length=4096)
    """Its value."""
    value_from: KubernetesObject | None = None
    """A secretKeyRef, configMapKeyRef, fieldRef or resourceFieldRef as in a pod."""


VOLUME_SOURCES: Final = {
    "config_map": "configMap",
    "csi": "csi",
    "downward_api": "downwardAPI",
    "empty_dir": "emptyDir",
    "ephemeral": "ephemeral",
    "persistent_volume_claim": "persistentVolumeClaim",
    "projected": "projected",
    "secret": "secret",
}
"""Those of the restricted Pod Security Standard: none reaches the node's own files."""

_VOLUME_RULES = (
    Rule(
        "!has(self.hostPath)",
        "volumes must not use hostPath; use a persistentVolumeClaim",
        lambda v: v.host_path is None,
    ),
    exactly_one(tuple(VOLUME_SOURCES), tuple(VOLUME_SOURCES.values()), "volumes"),
)


class Volume(RuledModel):
    """A pod volume: its name and exactly one source, written as in a pod."""

    RULES = _VOLUME_RULES

    name: str = Field(min_length=1, max_length=63)
    """Name of the volume."""
    config_map: KubernetesObject | None = None
    """Files from a ConfigMap."""
    csi: KubernetesObject | None = None
    """A volume of a CSI driver that lives as long as the pod."""
    downward_api: KubernetesObject | None = Field(default=None, alias="downwardAPI")
    """Files about the pod."""
    empty_dir: KubernetesObject | None = None
    """An empty folder that lives as long as the pod."""
    ephemeral: KubernetesObject | None = None
    """A claim that lives as long as the pod."""
    persistent_volume_claim: KubernetesObject | None = None
    """A claim in the sweep's namespace."""
    projected: KubernetesObject | None = None
    """Several of the others in one folder."""
    secret: KubernetesObject | None = None
    """Files from a Secret."""
    host_path: KubernetesObject | None = None
    """Refused: the node's own files."""


class PodTemplate(Model):
    """What is laid over the pods of head and workers."""

    labels: Labels = {}
    """Labels added to the pods."""
    annotations: Labels = {}
    """Annotations added to the pods."""
    node_selector: Labels = {}
    """Node selector of the pods."""
    tolerations: Annotated[list[KubernetesObject], Field(max_length=32)] = []
    """Tolerations of the pods."""
    affinity: KubernetesObject | None = None
    """Affinity of the pods."""
    priority_class_name: str | None = Field(default=None, pattern=OBJECT_NAME_PATTERN, max_length=253)
    """PriorityClass of the pods."""
    image_pull_secrets: Annotated[list[ObjectName], Field(max_length=16)] = []
    """Names of the Secrets to pull the image with."""
    service_account_name: str | None = Field(default=None, pattern=OBJECT_NAME_PATTERN, max_length=253)
    """ServiceAccount of the pods, for cloud identities; the operator's installation must allow it by name. Its token is
    not mounted. Not with an autoscaled cluster, whose head runs as an account of KubeRay's."""
    env: Annotated[list[EnvVar], Field(max_length=64)] = []
    """Environment variables added to the trainer containers."""
    volumes: Annotated[list[Volume], Field(max_length=32)] = []
    """Volumes added to the pods, e.g. configMap, secret or persistentVolumeClaim."""
    volume_mounts: Annotated[list[KubernetesObject], Field(max_length=32)] = []
    """Mounts added to the trainer containers."""


_CLUSTER_RULES = (
    Rule(
        f"self.podTemplate.volumes.all(v, !(v.name in {list(RESERVED_VOLUMES)}))",
        f"cluster.podTemplate.volumes must not be named {', '.join(RESERVED_VOLUMES)}: the sweep's own are;"
        " choose another name",
        lambda c: all(volume.name not in RESERVED_VOLUMES for volume in c.pod_template.volumes),
    ),
    Rule(
        "!has(self.podTemplate.serviceAccountName) || self.workers.minReplicas == self.workers.maxReplicas",
        "cluster.podTemplate.serviceAccountName needs workers.minReplicas equal to maxReplicas: the head of an"
        " autoscaled cluster runs as KubeRay's account",
        lambda c: c.pod_template.service_account_name is None or c.workers.min_replicas == c.workers.max_replicas,
    ),
)


class Cluster(RuledModel):
    """Shape of the Ray cluster."""

    RULES = _CLUSTER_RULES

    image: str | None = Field(default=None, min_length=1, max_length=512)
    """Image of head and workers; the operator's default trainer image if left out. Build your own from that one, as
    docs/your-own-code.md shows."""
    image_pull_policy: ImagePullPolicy = ImagePullPolicy.IF_NOT_PRESENT
    """Always, IfNotPresent or Never."""
    workers: Workers = Workers()
    """Number of worker pods."""
    resources_per_trial: ResourcesPerTrial = ResourcesPerTrial()
    """What each trial gets."""
    pod_template: PodTemplate = PodTemplate()
    """Overrides for the pods."""

    @property
    def ray_cpus(self) -> int:
        """CPUs that Ray may give away on a pod that runs trials: whole numbers, also for each trial that takes above one."""
        cores, trials = quantity_value(self.resources_per_trial.cpu), self.workers.trials_per_worker
        return trials * math.ceil(cores) if cores > 1 else max(1, math.ceil(cores * trials))

    @property
    def ray_cpus_per_trial(self) -> float:
        """CPUs that Ray sets aside for a trial, so that trialsPerWorker of them fill a pod; it counts ten-thousandths."""
        return math.floor(self.ray_cpus / self.workers.trials_per_worker * 10_000) / 10_000
