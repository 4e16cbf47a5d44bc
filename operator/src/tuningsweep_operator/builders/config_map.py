"""The ConfigMap with the resolved sweep, which the driver reads when it starts."""

import json

from tuningsweep_api import names
from tuningsweep_api.spec.storage import Tracking
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_operator.builders.common import config_map_name, owned_metadata
from tuningsweep_operator.resources import Manifest
from tuningsweep_operator.settings import Settings


def build_config_map(sweep: TuningSweep, settings: Settings) -> Manifest:
    """The manifest; its one file is the sweep with all defaults, kept current so that a restarted driver sees edits."""
    tracking = with_default_server(sweep.spec.tracking, settings.mlflow_tracking_uri)
    spec = sweep.spec.model_copy(update={"tracking": tracking})
    stop = sweep.metadata.annotations.get(names.ANNOTATION_STOP)
    metadata = {
        "name": sweep.metadata.name,
        "namespace": sweep.metadata.namespace,
        "uid": sweep.metadata.uid,
        "generation": sweep.metadata.generation,
        "annotations": {} if stop is None else {names.ANNOTATION_STOP: stop},
    }
    owned = owned_metadata(sweep, config_map_name(sweep.metadata.name), "sweep")
    resolved = {"apiVersion": names.API_VERSION, "kind": names.KIND, "metadata": metadata, "spec": spec.dump()}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {**owned, "annotations": {names.ANNOTATION_TRAINER_IMAGE: settings.trainer_image}},
        "data": {names.SWEEP_KEY: json.dumps(resolved, indent=1, sort_keys=True)},
    }


def with_default_server(tracking: Tracking, uri: str) -> Tracking:
    """Tracking of a sweep; the operator's MLflow server where the sweep names none."""
    if not uri or tracking.mlflow.tracking_uri is not None:
        return tracking
    return tracking.model_copy(update={"mlflow": tracking.mlflow.model_copy(update={"tracking_uri": uri})})
