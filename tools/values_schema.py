"""The chart's values as pydantic models, from which values.schema.json is generated. Called by generate.py."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Object = dict[str, Any]


class _Values(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


class Variable(BaseModel):
    """An environment variable; `valueFrom` is Kubernetes' own."""

    name: str = Field(min_length=1)
    value: str = ""
    valueFrom: Object = {}  # noqa: N815 - as in the manifest


class TrainerImage(_Values):
    """An image."""

    repository: str = Field(min_length=1)
    tag: str


class OperatorImage(TrainerImage):
    """The operator's image."""

    pull_policy: Literal["Always", "IfNotPresent", "Never"]


class Operator(_Values):
    """The operator's Deployment."""

    replicas: int = Field(ge=1, le=10)
    image: OperatorImage
    image_pull_secrets: list[Object]
    resources: Object
    node_selector: dict[str, str]
    tolerations: list[Object]
    affinity: Object
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"]
    extra_env: list[Variable]


class Trainer(_Values):
    """Defaults for sweeps."""

    image: TrainerImage


class Ray(_Values):
    """Ray's own settings."""

    authentication: bool


class NetworkPolicy(_Values):
    """NetworkPolicies of operator and sweeps."""

    enabled: bool
    metrics_namespace_labels: dict[str, str]
    kuberay_namespace_labels: dict[str, str]


class PodOverrides(_Values):
    """What spec.cluster.podTemplate may do beyond what it may anyway."""

    allowed_service_accounts: list[str]


class HoldBack(_Values):
    """Whether sweeps wait for room on the nodes."""

    enabled: bool


class Monitor(_Values):
    """A PodMonitor or ServiceMonitor."""

    enabled: bool
    interval: str = Field(pattern=r"^([0-9]+(ms|s|m|h))+$")
    labels: dict[str, str]


class PrometheusRule(_Values):
    """The alerts."""

    enabled: bool
    labels: dict[str, str]


class Dashboards(_Values):
    """The ConfigMaps that Grafana's sidecar picks up."""

    enabled: bool
    labels: dict[str, str]
    annotations: dict[str, str]


class Monitoring(_Values):
    """What Prometheus and Grafana get."""

    pod_monitor: Monitor
    service_monitor: Monitor
    prometheus_rule: PrometheusRule
    dashboards: Dashboards


class MlflowImage(_Values):
    """An image; the trainer's where empty."""

    repository: str
    tag: str
    pull_policy: Literal["Always", "IfNotPresent", "Never"]


class MlflowService(_Values):
    """The server's Service."""

    port: int = Field(ge=1, le=65535)


class MlflowPersistence(_Values):
    """Where the server keeps its database and artifacts."""

    enabled: bool
    existing_claim: str
    size: str = Field(pattern=r"^[0-9]+(\.[0-9]+)?([KMGTPE]i?)?$")
    storage_class_name: str


class Mlflow(_Values):
    """An optional MLflow server."""

    enabled: bool
    image: MlflowImage
    image_pull_secrets: list[Object]
    workers: int = Field(ge=1, le=64)
    service: MlflowService
    persistence: MlflowPersistence
    cluster_domain: str = Field(min_length=1)
    allowed_hosts: list[str]
    allowed_from: list[Object]
    resources: Object
    node_selector: dict[str, str]
    tolerations: list[Object]
    affinity: Object
    extra_env: list[Variable]


class Values(_Values):
    """Values of the chart tuningsweep."""

    operator: Operator
    trainer: Trainer
    mlflow: Mlflow
    ray: Ray
    network_policy: NetworkPolicy
    pod_overrides: PodOverrides
    hold_back: HoldBack
    watch_namespaces: list[str] = Field(json_schema_extra={"uniqueItems": True})
    install_crd: bool = Field(alias="installCRD")
    monitoring: Monitoring
    globals_: Object = Field(alias="global", default_factory=dict)


def values_schema() -> dict[str, Any]:
    """The JSON schema."""
    return {"$schema": "http://json-schema.org/draft-07/schema#", **Values.model_json_schema(by_alias=True)}
