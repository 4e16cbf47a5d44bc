"""Names that operator, trainer and tooling must agree on: API group, labels, ports, paths, keys.

Everything here is part of the contract between components that are upgraded separately; change a value only together
with a migration.
"""

from typing import Final

GROUP: Final = "tuningsweep.io"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
KIND: Final = "TuningSweep"
PLURAL: Final = "tuningsweeps"
SINGULAR: Final = "tuningsweep"
SHORT_NAMES: Final = ("sweep", "sweeps")

LABEL_SWEEP: Final = f"{GROUP}/sweep"
"""On every object made for a sweep; its value is the sweep's name (at most 63 characters by the resource's rules)."""
LABEL_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
MANAGED_BY: Final = "tuningsweep-operator"
LABEL_COMPONENT: Final = "app.kubernetes.io/component"
FIELD_MANAGER: Final = "tuningsweep-operator"

LABEL_QUEUE: Final = "kueue.x-k8s.io/queue-name"
"""On a sweep: the Kueue LocalQueue that it waits in for quota."""
LABEL_QUEUE_PRIORITY: Final = "kueue.x-k8s.io/priority-class"
"""On a sweep: its Kueue WorkloadPriorityClass."""

ANNOTATION_STOP: Final = f"{GROUP}/stop"
ANNOTATION_TRAINER_IMAGE: Final = f"{GROUP}/trainer-image"
"""On a sweep: comma-separated names of trials that a person wants stopped, e.g. `trial-0003,trial-0007`."""

OBJECT_NAME_PATTERN: Final = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"
"""Of the objects that a sweep refers to: small letters, digits, - and ., as Kubernetes names them."""

CONTROL_PORT: Final = 8090
CONTROL_PORT_NAME: Final = "control"
METRICS_PORT: Final = 8091
METRICS_PORT_NAME: Final = "trial-metrics"

SWEEP_FILE: Final = "/etc/tuningsweep/sweep/sweep.json"
"""The resolved sweep in the trainer containers, mounted from the sweep's ConfigMap (key `sweep.json`)."""
SWEEP_KEY: Final = "sweep.json"
"""Also a file in the results, so that they can be read without the cluster."""
RESULT_KEY: Final = "result.json"
"""In the results, once the sweep has ended: its last SweepState."""
TOKEN_FILE: Final = "/etc/tuningsweep/control/token"  # noqa: S105 - a path, not a token
TOKEN_KEY: Final = "token"  # noqa: S105 - a key's name, not a token
CERTIFICATE_KEY: Final = "tls.crt"
PRIVATE_KEY_KEY: Final = "tls.key"
"""Beside the token, in the Secret and in the folder where the head pod mounts it: the control API is served with them."""
RESULTS_MOUNT: Final = "/var/lib/tuningsweep"
"""Where a volume with results is mounted in head and workers; results of a sweep live in a folder of its name in it."""

CONTROL_STATE_PATH: Final = "/v1/state"
CONTROL_DESIRED_PATH: Final = "/v1/desired"
"""GET state; PUT a DesiredState (answered with the SweepState). Both need `Authorization: Bearer TOKEN`.

The answer's ETag is the state's tag. A GET with `If-None-Match: "TAG"` and `Prefer: wait=SECONDS` (RFC 7240) is answered once
the state has another tag, or with 304 after so long. A driver that sends no ETag does not wait."""
CONTROL_TRIALS_PATH: Final = "/v1/trials"
"""GET a TrialPage: `?after=N&limit=M`, the records from the N-th on in the order of their end."""
CONTROL_TRACES_PATH: Final = "/v1/traces"
"""GET /v1/traces/TRIAL: a JSON list of the trial's traces as they are in the results, oldest first."""
CONTROL_MAX_BODY_BYTES: Final = 1 << 20
"""Longest DesiredState and SweepState; whoever reads more gives up."""
LONGEST_LEAVE_SECONDS: Final = 300
"""How long a driver whose sweep has ended may still send to MLflow what it has not sent yet."""
CONTROL_MAX_LIST_BYTES: Final = 32 << 20
"""Longest page of trials and list of traces that the command line reads."""


TRIAL_NAME_PATTERN: Final = r"trial-\d{4,7}"


def trial_name(index: int) -> str:
    """Name of the trial at position `index` (from 0) of a sweep, e.g. `trial-0007`; sorts by position up to 9,999."""
    return f"trial-{index:04d}"
