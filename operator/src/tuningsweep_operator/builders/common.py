"""What every object of a sweep shares: names, labels, the owner reference, the hardened security context."""

from typing import Any, Final

from tuningsweep_api import names
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_operator.resources import Manifest

USER_ID = 65532
"""The unprivileged user of the trainer image."""
SCRATCH: Final = "/tmp"  # noqa: S108 - a volume of the pod's own


def secret_name(sweep: str) -> str:
    """Name of the Secret with the control API's token."""
    return f"{sweep}-control"


def config_map_name(sweep: str) -> str:
    """Name of the ConfigMap with the resolved sweep."""
    return f"{sweep}-sweep"


def network_policy_name(sweep: str) -> str:
    """Name of the NetworkPolicy for the sweep's pods."""
    return f"{sweep}-network"


def claim_name(sweep: TuningSweep) -> str | None:
    """Name of the claim that holds the results, made for the sweep or given; None without one."""
    storage = sweep.spec.storage
    return storage.existing_claim or (f"{sweep.metadata.name}-results" if storage.volume_claim else None)


def labels(sweep: TuningSweep, component: str) -> dict[str, str]:
    """Labels of an object of a sweep."""
    return {
        names.LABEL_SWEEP: sweep.metadata.name,
        names.LABEL_MANAGED_BY: names.MANAGED_BY,
        names.LABEL_COMPONENT: component,
    }


def owned_metadata(sweep: TuningSweep, name: str, component: str) -> dict[str, Any]:
    """Metadata of an object that belongs to a sweep and goes with it."""
    owner = {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "name": sweep.metadata.name,
        "uid": sweep.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": False,  # true would need rights on the finalizers of sweeps, and gains nothing here
    }
    return {
        "name": name,
        "namespace": sweep.metadata.namespace,
        "labels": labels(sweep, component),
        "ownerReferences": [owner],
    }


def pod_security() -> dict[str, Any]:
    """A pod's security context that the restricted Pod Security Standard admits."""
    return {
        "runAsNonRoot": True,
        "runAsUser": USER_ID,
        "runAsGroup": USER_ID,
        "fsGroup": USER_ID,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def container_security() -> dict[str, Any]:
    """A container's security context that the restricted Pod Security Standard admits, with nothing of its image writable."""
    return {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True}


def scratch_volume() -> dict[str, Any]:
    """The volume for what a pod writes besides results."""
    return {"name": "scratch", "emptyDir": {}}


def scratch_mount() -> dict[str, Any]:
    """Where a container has it: Ray's files, temporary files and HOME."""
    return {"name": "scratch", "mountPath": SCRATCH}


def is_owned_by(manifest: Manifest, uid: str) -> bool:
    """Whether an object belongs to the sweep of that uid."""
    return any(owner.get("uid") == uid for owner in manifest["metadata"].get("ownerReferences", []))
