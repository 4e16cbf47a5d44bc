"""Settings of the operator, read from environment variables TUNINGSWEEP_*; the chart sets them."""

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Settings(BaseSettings):
    """Every setting with its default; `TUNINGSWEEP_TRAINER_IMAGE` sets `trainer_image`, and so on."""

    model_config = SettingsConfigDict(env_prefix="TUNINGSWEEP_", use_attribute_docstrings=True, frozen=True)

    trainer_image: str = "ghcr.io/tuningsweep/trainer:0.1.0"
    """Image of sweeps that name none."""
    ray_version: str = "2.60.0"
    """Version of Ray in that image."""
    ray_authentication: bool = True
    """Whether Ray itself asks for a token (dashboard, job submission, workers that join); needs KubeRay 1.5 or newer."""
    network_policies: bool = False
    """Whether each sweep gets a NetworkPolicy; the chart turns it on."""
    namespace: str = "tuningsweep-system"
    """Namespace of the operator, which alone may reach control ports where there are NetworkPolicies."""
    metrics_namespace_labels: dict[str, str] = {}
    """Labels (a JSON object) of the namespaces that may read metrics where there are NetworkPolicies; all if empty."""
    kuberay_namespace_labels: dict[str, str] = {}
    """Labels (a JSON object) of KubeRay's namespace, for the same; a pod with KubeRay's label in any namespace if empty."""
    allowed_service_accounts: Annotated[tuple[str, ...], NoDecode] = ()
    """Accounts that cluster.podTemplate.serviceAccountName may name, comma-separated; `*` allows any."""
    watch_namespaces: Annotated[tuple[str, ...], NoDecode] = ()
    """Namespaces to work in, comma-separated; all if empty."""
    hold_back: bool = False
    """Whether a new sweep is held back while no node has room for it; reads nodes and pods of the whole cluster."""
    hold_back_seconds: float = Field(default=10.0, gt=0)
    """Least seconds between two readings of nodes and pods while sweeps are held back."""
    mlflow_tracking_uri: str = Field(default="", pattern=r"^(https?://[^\s]+)?$")
    """MLflow server of sweeps that name none, e.g. the chart's; they keep their record beside their results if empty."""
    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""
    health_port: int = 8080
    """Port of /healthz and /metrics."""
    lease_name: str = "tuningsweep-operator"
    """Name of the Lease, in the operator's namespace, by which replicas agree on the one that writes."""
    lease_seconds: int = Field(default=10, ge=3)
    """Seconds after which another replica may take the Lease of one that no longer renews it."""
    shutdown_seconds: float = Field(default=10.0, gt=0)
    """Longest that reconciles under way may take to end once the operator is asked to stop."""
    workers: int = Field(default=16, ge=1)
    """Sweeps reconciled at the same time."""
    poll_seconds: float = Field(default=1.0, gt=0)
    """Seconds between two looks at a running driver that does not tell of news by itself, or has just told of some."""
    resync_seconds: float = Field(default=300.0, gt=0)
    """Seconds after which a sweep is reconciled without any event, undoing drift that no watch shows."""
    status_seconds: float = Field(default=5.0, gt=0)
    """Least seconds between two status writes of a sweep, unless a condition changes."""
    driver_timeout_seconds: float = Field(default=3.0, gt=0)
    """Longest a driver may take to answer."""
    kuberay_silence_seconds: float = Field(default=15.0, gt=0)
    """Seconds without a sign of KubeRay, or of Kueue, on a RayJob after which the sweep is Stalled."""
    driver_silence_seconds: float = Field(default=30.0, gt=0)
    """Seconds without an answer of a running driver after which the sweep is Stalled."""
    start_silence_seconds: float = Field(default=600.0, gt=0)
    """Seconds without a change of a RayJob whose pods are being made after which the sweep is Stalled."""
    head_cpu: str = "200m"
    """CPU request of the head pod, beside its trials where it runs any."""
    head_memory: str = "2Gi"
    """Memory of the head pod, beside its trials where it runs any."""
    worker_cpu: str = "100m"
    """CPU request of a worker pod beside its trials (raylet, agents, supervisors)."""
    worker_memory: str = "1536Mi"
    """Memory of a worker pod beside its trials."""

    @field_validator("watch_namespaces", "allowed_service_accounts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _reads_nodes(self) -> Self:
        if self.hold_back and self.watch_namespaces:
            raise ValueError(
                "TUNINGSWEEP_HOLD_BACK needs the right to list nodes, which no Role in a namespace can give; leave"
                " TUNINGSWEEP_WATCH_NAMESPACES empty (the chart's watchNamespaces), or let Kueue hold sweeps back"
            )
        return self
