"""The TuningSweep resource: its spec, and the whole object as a user writes it. Rules across fields: `sweep_rules`."""

import json
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo, WithJsonSchema, model_validator

from tuningsweep_api import names
from tuningsweep_api.errors import unknown_fields
from tuningsweep_api.model import Model, whole_numbers
from tuningsweep_api.spec.cluster import Cluster, PodTemplate
from tuningsweep_api.spec.limits import Limits
from tuningsweep_api.spec.objective import Objective
from tuningsweep_api.spec.rules import RuledModel
from tuningsweep_api.spec.search import Scheduler, Search
from tuningsweep_api.spec.search_space import Parameter
from tuningsweep_api.spec.storage import NewClaim, Storage, Tracking
from tuningsweep_api.spec.sweep_rules import AUTO, SPEC_RULES
from tuningsweep_api.spec.trainable import Trainable

NAME_MAX_LENGTH: Final = 40

MUTABLE_FIELDS: Final = (
    "limits",
    "suspend",
    "priority",
    "parallelTrialCount",
    "maxTrialCount",
    "maxFailedTrialCount",
    "activeDeadlineSeconds",
    "ttlSecondsAfterFinished",
)
"""Fields of the spec that may be edited after creation."""

MOST_PARALLEL_TRIALS: Final = 1000


def _checked_count(value: int | str) -> int | str:
    if value == AUTO or (isinstance(value, int) and 1 <= value <= MOST_PARALLEL_TRIALS):
        return value
    raise ValueError(f"{value!r} is not a count; write a number from 1 to {MOST_PARALLEL_TRIALS}, or {AUTO}")


ParallelTrialCount = Annotated[
    int | str,
    AfterValidator(_checked_count),
    WithJsonSchema(
        {
            "x-kubernetes-int-or-string": True,
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "minimum": 1,
            "maximum": MOST_PARALLEL_TRIALS,
            "pattern": f"^{AUTO}$",
        }
    ),
]
"""A number of trials, or `Auto`: as many as fit into memory. The only text is AUTO."""


class TuningSweepSpec(RuledModel):
    """What to tune, under which limits, and where."""

    RULES = SPEC_RULES

    objective: Objective
    """Metric to optimise."""
    parameters: Annotated[list[Parameter], Field(min_length=1, max_length=32)]
    """The search space: one entry a hyperparameter."""
    trainable: Trainable
    """What a trial runs."""
    search: Search = Search()
    """How configurations are chosen."""
    scheduler: Scheduler = Scheduler()
    """How trials are ended for their results."""
    limits: Limits = Limits()
    """What one trial may use; may be edited while trials run."""
    parallel_trial_count: ParallelTrialCount = 1
    """Trials that run at the same time, or Auto: as many as fit into each pod's memory, by limits.memory and by what
    earlier trials needed, at most four a core. A trial that would not fit is held until it does. With a number, no
    more run on a cluster than cluster.workers.maxReplicas times trialsPerWorker (trialsPerWorker where maxReplicas is 0).
    From Auto to a number, or back, only while spec.suspend is true."""
    max_trial_count: int = Field(default=16, ge=1, le=100_000)
    """Most trials; a grid ends earlier when it is used up."""
    max_failed_trial_count: int = Field(default=3, ge=0, le=100_000)
    """Failed trials that are borne; with one more the sweep fails. Trials over a limit do not count as failed."""
    suspend: bool = False
    """true frees the cluster and keeps what is finished; false goes on."""
    priority: int = Field(default=0, ge=-1_000_000_000, le=1_000_000_000)
    """Which of the sweeps that the operator holds back starts first: the higher, then the older. Nothing that runs is ever
    ended for it. Without effect in a Kueue queue, where the priority class of the sweep's label decides."""
    active_deadline_seconds: int | None = Field(default=None, ge=1)
    """Seconds the sweep may take from its start, after which running trials are stopped and it fails."""
    backoff_limit: int = Field(default=3, ge=0, le=100)
    """Times a crashed driver is started again before the sweep fails."""
    ttl_seconds_after_finished: int | None = Field(default=None, ge=0)
    """Seconds after its end when the sweep is deleted; kept if left out."""
    cluster: Cluster = Cluster()
    """The Ray cluster to run on."""
    storage: Storage = Storage(volume_claim=NewClaim())
    """Where results and checkpoints are kept."""
    tracking: Tracking = Tracking()
    """Experiment tracking with MLflow."""


class Metadata(Model):
    """The part of a Kubernetes object's metadata that a sweep needs; the rest is passed over."""

    model_config = ConfigDict(extra="ignore")

    name: str = Field(pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$", max_length=NAME_MAX_LENGTH)
    """Name of the sweep; short enough for the names KubeRay derives from it."""
    namespace: str = "default"
    """Namespace; `default` for a local run."""
    uid: str = "local"
    """UID given by the API server; `local` for a local run."""
    generation: int = 1
    """Generation of the spec."""
    labels: dict[str, str] = {}
    """Labels, read for the queue."""
    annotations: dict[str, str] = {}
    """Annotations, read for stop requests."""


STORED: Final = {"stored": True}
"""Context of the validation of what is stored."""


class TuningSweep(Model):
    """A TuningSweep as in a manifest or from the API server; status is read elsewhere."""

    model_config = ConfigDict(extra="ignore")

    api_version: Literal["tuningsweep.io/v1alpha1"]
    kind: Literal["TuningSweep"]
    metadata: Metadata
    spec: TuningSweepSpec

    @classmethod
    def from_manifest(cls, manifest: dict[str, Any]) -> Self:
        """Validate a manifest as strictly as the API server does: no text for a number, no number for true or false.

        pydantic's ValidationError names each field (see `errors.explain`). Dates, which YAML makes of some texts, are texts.
        """
        return cls.model_validate_json(_json_of(manifest), strict=True)

    @classmethod
    def from_stored(cls, manifest: dict[str, Any]) -> Self:
        """The sweep of an object or a file that another release may have accepted: fields that it has added are passed over.

        pydantic's ValidationError as of `from_manifest` for anything else that is wrong.
        """
        return cls.model_validate_json(_json_of(manifest), strict=True, extra="ignore", context=STORED)

    @classmethod
    def passed_over(cls, manifest: dict[str, Any]) -> list[str]:
        """Paths of the fields that `from_stored` passes over, e.g. `spec.limits.disk`."""
        return unknown_fields(cls, _json_of(manifest))

    def without_pod_template(self) -> Self:
        """The sweep but for the overrides of its pods, whose environment is where people write credentials."""
        cluster = self.spec.cluster.model_copy(update={"pod_template": PodTemplate()})
        return self.model_copy(update={"spec": self.spec.model_copy(update={"cluster": cluster})})

    @model_validator(mode="after")
    def _check_queue(self, info: ValidationInfo) -> Self:
        if self.queue_refusal is not None and info.context is not STORED:
            raise ValueError(self.queue_refusal)
        return self

    @property
    def queue_refusal(self) -> str | None:
        """Why the sweep can't wait in its queue. A label may come at any time, so that it makes no stored sweep invalid."""
        workers = self.spec.cluster.workers
        if self.queue is None or workers.min_replicas >= workers.max_replicas:
            return None
        return (
            f"spec.cluster.workers: a sweep with the label {names.LABEL_QUEUE} can't be autoscaled, since Kueue "
            "admits a cluster of a fixed size; set minReplicas to maxReplicas"
        )

    @property
    def queue(self) -> str | None:
        """The Kueue LocalQueue that the sweep waits in, from the label; None without one."""
        return self.metadata.labels.get(names.LABEL_QUEUE) or None

    @property
    def queue_labels(self) -> dict[str, str]:
        """The labels that Kueue reads from the job of a sweep in a queue."""
        wanted = (names.LABEL_QUEUE, names.LABEL_QUEUE_PRIORITY) if self.queue is not None else ()
        return {name: self.metadata.labels[name] for name in wanted if name in self.metadata.labels}

    @property
    def stop_requests(self) -> tuple[str, ...]:
        """Trials that a person asked to stop, from the annotation."""
        listed = self.metadata.annotations.get(names.ANNOTATION_STOP, "")
        return tuple(sorted({name.strip() for name in listed.split(",") if name.strip()}))


def _json_of(manifest: dict[str, Any]) -> str:
    return json.dumps(whole_numbers(manifest), default=str)
