"""`spec.cluster`: the Ray cluster a sweep runs on. Ignored by `tuningsweep run`, which uses the machine it is on."""

from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import Field, WithJsonSchema

from tuningsweep_api.model import Model
from tuningsweep_api.quantities import Quantity
from tuningsweep_api.spec.rules import Rule, RuledModel

Labels = Annotated[dict[str, Annotated[str, Field(max_length=256)]], Field(max_length=64)]
KubernetesObject = Annotated[
    dict[str, Any], WithJsonSchema({"type": "object", "x-kubernetes-preserve-unknown-fields": True})
]
"""A part of the pod API that Kubernetes itself validates when the pod is made."""


RESERVED_VOLUMES: Final = ("control", "results", "shared-mem", "sweep")
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
    """CPU cores, e.g. 1 or 500m."""
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


Volume = Annotated[
    dict[str, Any],
    WithJsonSchema(
        {
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": True,
            "required": ["name"],
            "properties": {
                "name": {"type": "string", "minLength": 1, "maxLength": 63, "description": "Name of the volume."},
                "hostPath": {
                    "type": "object",
                    "x-kubernetes-preserve-unknown-fields": True,
                    "description": "Refused.",
                },
            },
        }
    ),
]
"""A pod volume; hostPath is in the schema only so that a rule can refuse it."""


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
    priority_class_name: str | None = Field(default=None, max_length=253)
    """PriorityClass of the pods."""
    image_pull_secrets: Annotated[list[Annotated[str, Field(max_length=253)]], Field(max_length=16)] = []
    """Names of the Secrets to pull the image with."""
    env: Annotated[list[EnvVar], Field(max_length=64)] = []
    """Environment variables added to the trainer containers."""
    volumes: Annotated[list[Volume], Field(max_length=32)] = []
    """Volumes added to the pods, e.g. configMap, secret or persistentVolumeClaim; hostPath is refused."""
    volume_mounts: Annotated[list[KubernetesObject], Field(max_length=32)] = []
    """Mounts added to the trainer containers."""


_CLUSTER_RULES = (
    Rule(
        "!self.podTemplate.volumes.exists(v, has(v.hostPath))",
        "cluster.podTemplate.volumes must not use hostPath; use a persistentVolumeClaim",
        lambda c: all("hostPath" not in volume for volume in c.pod_template.volumes),
    ),
    Rule(
        f"self.podTemplate.volumes.all(v, !(v.name in {list(RESERVED_VOLUMES)}))",
        f"cluster.podTemplate.volumes must not be named {', '.join(RESERVED_VOLUMES)}: the sweep's own are;"
        " choose another name",
        lambda c: all(volume.get("name") not in RESERVED_VOLUMES for volume in c.pod_template.volumes),
    ),
)


class Cluster(RuledModel):
    """Shape of the Ray cluster."""

    RULES = _CLUSTER_RULES

    image: str | None = Field(default=None, min_length=1, max_length=512)
    """Image of head and workers; the operator's default trainer image if left out. Build your own from that one."""
    image_pull_policy: ImagePullPolicy = ImagePullPolicy.IF_NOT_PRESENT
    """Always, IfNotPresent or Never."""
    workers: Workers = Workers()
    """Number of worker pods."""
    resources_per_trial: ResourcesPerTrial = ResourcesPerTrial()
    """What each trial gets."""
    pod_template: PodTemplate = PodTemplate()
    """Overrides for the pods."""
