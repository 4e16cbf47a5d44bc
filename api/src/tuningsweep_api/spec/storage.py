"""`spec.storage` and `spec.tracking`: where results, checkpoints and the MLflow record go."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from tuningsweep_api.model import Model
from tuningsweep_api.names import OBJECT_NAME_PATTERN
from tuningsweep_api.quantities import Quantity, quantity_value
from tuningsweep_api.spec.rules import Rule, RuledModel, exactly_one


class AccessMode(StrEnum):
    """Access modes of a claim; workers on several nodes need ReadWriteMany."""

    READ_WRITE_ONCE = "ReadWriteOnce"
    READ_WRITE_MANY = "ReadWriteMany"


class NewClaim(RuledModel):
    """A PersistentVolumeClaim made for the sweep and deleted with it."""

    RULES = (
        Rule(
            "quantity(string(self.size)).isGreaterThan(quantity('0'))",
            "storage.volumeClaim.size must be above zero",
            lambda c: quantity_value(c.size) > 0,
        ),
    )

    size: Quantity = "5Gi"
    """Size of the volume."""
    storage_class_name: str | None = Field(default=None, pattern=OBJECT_NAME_PATTERN, max_length=253)
    """StorageClass; the cluster's default if left out."""
    access_mode: AccessMode = AccessMode.READ_WRITE_ONCE
    """ReadWriteOnce keeps head and workers on one node; ReadWriteMany lets them spread."""


class Ephemeral(Model):
    """A volume that lives as long as the head pod: nothing survives it. For trying things out."""


_RULES = (
    exactly_one(
        ("volume_claim", "existing_claim", "uri", "ephemeral"),
        ("volumeClaim", "existingClaim", "uri", "ephemeral"),
        "storage",
    ),
    Rule(
        "has(self.uri) || !(has(self.endpoint) || has(self.credentialsSecret))",
        "storage.endpoint and storage.credentialsSecret go with storage.uri; take them out, or write uri: s3://BUCKET/PATH",
        lambda s: s.uri is not None or (s.endpoint is None and s.credentials_secret is None),
    ),
    Rule(
        "!has(self.uri) || !(self.uri.contains('@') || self.uri.contains('?'))",
        "storage.uri must hold no credentials and no options; write them to a Secret and name it in"
        " storage.credentialsSecret, and the server in storage.endpoint",
        lambda s: s.uri is None or not set(s.uri) & {"@", "?"},
    ),
)


class Storage(RuledModel):
    """Where results and checkpoints are kept: exactly one of volumeClaim, existingClaim, uri and ephemeral."""

    RULES = _RULES

    volume_claim: NewClaim | None = None
    """A claim made for this sweep."""
    existing_claim: Annotated[str, Field(pattern=OBJECT_NAME_PATTERN, max_length=253)] | None = None
    """Name of a PersistentVolumeClaim in the sweep's namespace. Where pods may be on several nodes, it needs the access mode
    ReadWriteMany; otherwise set cluster.workers.maxReplicas to 0, or a nodeSelector in cluster.podTemplate."""
    uri: Annotated[str, Field(pattern=r"^(s3|gs|file)://[^\s]+$", max_length=1024)] | None = None
    """Object storage, e.g. s3://bucket/path."""
    endpoint: Annotated[str, Field(pattern=r"^https?://[^\s@]+$", max_length=1024)] | None = None
    """Server of the object storage where it is not Amazon's, e.g. https://minio.storage:9000."""
    credentials_secret: Annotated[str, Field(min_length=1, max_length=253)] | None = None
    """Secret in the sweep's namespace; its keys become variables of the pods, e.g. AWS_ACCESS_KEY_ID."""
    ephemeral: Ephemeral | None = None
    """No persistence: a suspended or broken sweep starts over."""


class MLflow(Model):
    """Where MLflow records the sweep."""

    tracking_uri: str | None = Field(default=None, pattern=r"^(https?|sqlite|file)://?[^\s]+$", max_length=1024)
    """Tracking server; an embedded SQLite store beside the results if left out."""
    experiment_name: str | None = Field(default=None, min_length=1, max_length=256)
    """MLflow experiment; NAMESPACE/SWEEP if left out."""


class Tracking(Model):
    """Experiment tracking."""

    enabled: bool = True
    """Whether trials are recorded with MLflow."""
    mlflow: MLflow = MLflow()
    """MLflow settings."""
