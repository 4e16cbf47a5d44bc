"""Random specs: refused in sentences or built into restricted objects, never a traceback."""

import json
import re
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from pydantic import ValidationError

from support.fuzz import EXAMPLES, fuzzed, sweep_manifests
from tuningsweep_api.errors import explain
from tuningsweep_api.messages import desired_state
from tuningsweep_api.names import SWEEP_KEY
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_operator.builders.claim import build_claim
from tuningsweep_operator.builders.config_map import build_config_map
from tuningsweep_operator.builders.network_policy import build_network_policy
from tuningsweep_operator.builders.ray_job import ENTRYPOINT, build_ray_job
from tuningsweep_operator.settings import Settings

SETTINGS = Settings()
OWN_VOLUMES = {"control", "results", "scratch", "sweep"}
HARMLESS = {
    *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret")
}
RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True}
POD_FIELDS = {
    *("automountServiceAccountToken", "enableServiceLinks", "securityContext", "terminationGracePeriodSeconds"),
    *("containers", "volumes", "nodeSelector", "tolerations", "affinity", "priorityClassName", "serviceAccountName"),
    "imagePullSecrets",
}


@fuzzed(EXAMPLES)
@given(sweep_manifests())
def test_a_spec_is_refused_in_sentences_or_built_into_restricted_objects(manifest: dict[str, Any]) -> None:
    try:
        sweep = TuningSweep.from_manifest(manifest)
    except ValidationError as error:
        assert all(re.match(r"(spec|metadata|manifest)\S*: \S", sentence) for sentence in explain(error))
        return
    job = build_ray_job(sweep, SETTINGS, suspend=sweep.spec.suspend)
    config_map = build_config_map(sweep, SETTINGS)
    json.dumps([job, build_claim(sweep), build_network_policy(sweep, SETTINGS)], allow_nan=False)
    assert TuningSweep.from_manifest(json.loads(config_map["data"][SWEEP_KEY])).spec == sweep.spec
    assert desired_state(sweep).digest()
    assert job["spec"]["entrypoint"] == ENTRYPOINT
    for template in templates_of(job):
        check_restricted(template["spec"])


def templates_of(job: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Pod templates of head and workers."""
    cluster = job["spec"]["rayClusterSpec"]
    for group in (cluster["headGroupSpec"], *cluster.get("workerGroupSpecs", [])):
        yield group["template"]


def check_restricted(pod: dict[str, Any]) -> None:
    assert set(pod) <= POD_FIELDS
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert [container["securityContext"] for container in pod["containers"]] == [RESTRICTED]
    for volume in pod["volumes"]:
        assert set(volume) - {"name"} <= HARMLESS
    names = [volume["name"] for volume in pod["volumes"]]
    assert all(names.count(name) <= 1 for name in OWN_VOLUMES)
