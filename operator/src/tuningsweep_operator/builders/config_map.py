"""The ConfigMap with the resolved sweep, which the driver reads when it starts."""

import json

from tuningsweep_api import names
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_operator.builders.common import config_map_name, owned_metadata
from tuningsweep_operator.resources import Manifest


def build_config_map(sweep: TuningSweep) -> Manifest:
    """The manifest; its one file is the sweep with all defaults, kept current so that a restarted driver sees edits."""
    stop = sweep.metadata.annotations.get(names.ANNOTATION_STOP)
    metadata = {
        "name": sweep.metadata.name,
        "namespace": sweep.metadata.namespace,
        "uid": sweep.metadata.uid,
        "generation": sweep.metadata.generation,
        "annotations": {} if stop is None else {names.ANNOTATION_STOP: stop},
    }
    resolved = {"apiVersion": names.API_VERSION, "kind": names.KIND, "metadata": metadata, "spec": sweep.spec.dump()}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": owned_metadata(sweep, config_map_name(sweep.metadata.name), "sweep"),
        "data": {names.SWEEP_KEY: json.dumps(resolved, indent=1, sort_keys=True)},
    }
