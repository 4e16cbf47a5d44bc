"""The PersistentVolumeClaim for results, where the sweep asks for one of its own."""

from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_operator.builders.common import claim_name, owned_metadata
from tuningsweep_operator.resources import Manifest


def build_claim(sweep: TuningSweep) -> Manifest | None:
    """The manifest, or None if the sweep keeps its results elsewhere."""
    wanted, name = sweep.spec.storage.volume_claim, claim_name(sweep)
    if wanted is None or name is None:
        return None
    spec: Manifest = {
        "accessModes": [wanted.access_mode.value],
        "resources": {"requests": {"storage": wanted.size}},
    }
    if wanted.storage_class_name is not None:
        spec["storageClassName"] = wanted.storage_class_name
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": owned_metadata(sweep, name, "results"),
        "spec": spec,
    }
