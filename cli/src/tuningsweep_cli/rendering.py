"""`tuningsweep render`: what the operator would create, made by the operator's own builders."""

from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_cli.options import ManifestFormat
from tuningsweep_cli.output import as_json, as_yaml_documents
from tuningsweep_operator.builders.claim import build_claim
from tuningsweep_operator.builders.config_map import build_config_map
from tuningsweep_operator.builders.network_policy import build_network_policy
from tuningsweep_operator.builders.ray_job import build_ray_job
from tuningsweep_operator.builders.secret import build_secret
from tuningsweep_operator.certificates import KeyPair
from tuningsweep_operator.resources import Manifest
from tuningsweep_operator.settings import Settings

MASK = "***"


def rendered(sweep: TuningSweep, namespace: str | None, trainer_image: str | None) -> list[Manifest]:
    """Secret, ConfigMap, claim, NetworkPolicy and RayJob in the order in which the operator applies them.

    An operator that was installed with `networkPolicy.enabled: false` leaves the NetworkPolicy out.
    """
    if namespace is not None:
        sweep = sweep.model_copy(update={"metadata": sweep.metadata.model_copy(update={"namespace": namespace})})
    settings = Settings() if trainer_image is None else Settings(trainer_image=trainer_image)
    secret = build_secret(sweep, "", KeyPair("", ""))
    secret["data"] = dict.fromkeys(secret["data"], MASK)
    claim = build_claim(sweep)
    return [
        secret,
        build_config_map(sweep, settings),
        *([] if claim is None else [claim]),
        build_network_policy(sweep, settings),
        build_ray_job(sweep, settings, suspend=sweep.spec.suspend),
    ]


def written(manifests: list[Manifest], output: ManifestFormat) -> str:
    """The manifests as a JSON List or as YAML documents, both as `kubectl apply` would take them."""
    if output is ManifestFormat.JSON:
        return as_json({"apiVersion": "v1", "kind": "List", "items": manifests})
    return as_yaml_documents(manifests)
