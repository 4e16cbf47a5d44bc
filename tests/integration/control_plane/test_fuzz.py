"""Random specs against the real API server: it accepts what we accept and refuses what we refuse."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3
from hypothesis import given, note
from pydantic import ValidationError

from support.chart import CHART
from support.control_plane import ControlPlane, running_control_plane
from support.fuzz import EXAMPLES, fuzzed, sweep_manifests
from support.rig import rig_file
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_operator.builders.claim import build_claim
from tuningsweep_operator.builders.config_map import build_config_map
from tuningsweep_operator.builders.network_policy import build_network_policy
from tuningsweep_operator.builders.ray_job import build_ray_job
from tuningsweep_operator.builders.secret import build_secret
from tuningsweep_operator.certificates import KeyPair
from tuningsweep_operator.resources import (
    CLAIMS,
    CONFIG_MAPS,
    NETWORK_POLICIES,
    RAY_JOBS,
    SECRETS,
    SWEEPS,
    Manifest,
    Resource,
)
from tuningsweep_operator.settings import Settings

SAMPLE = max(200, EXAMPLES // 5)
FREE_FORM = re.compile(
    r"\.template\.spec\.(tolerations|affinity|volumes|containers\[0\]\.(volumeMounts|env\[\d+\]\.valueFrom))"
)
"""Parts of the pod API that a sweep passes on unread: Kubernetes says what is wrong with them, as does PodRefused."""
PAIR = KeyPair("certificate", "key")


class Server:
    """Dry runs on an API server, over one connection."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._pool = urllib3.PoolManager(ca_certs=str(plane.folder / "certificates" / "apiserver.crt"))

    def refusal(self, resource: Resource, manifest: Manifest) -> str:
        """Why an object would not be created; empty if it would."""
        answer = self._pool.request(
            "POST",
            f"{self._plane.url}{resource.path('default')}?dryRun=All&fieldValidation=Strict",
            body=json.dumps(manifest),
            headers={"Authorization": f"Bearer {self._plane.token}", "Content-Type": "application/json"},
        )
        assert answer.status in (201, 400, 422), answer.data
        return "" if answer.status == 201 else str(json.loads(answer.data)["message"])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_control_plane(tmp_path_factory.mktemp("plane")) as plane:
        plane.apply_crds(
            CHART / "files" / "crd.yaml", rig_file("kuberay", "config") / "crd" / "bases" / "ray.io_rayjobs.yaml"
        )
        yield Server(plane)


@fuzzed(SAMPLE)
@given(manifest=sweep_manifests())
def test_the_api_server_agrees(server: Server, manifest: dict[str, Any]) -> None:
    theirs = server.refusal(SWEEPS, manifest)
    note(f"the API server: {theirs or 'accepts it'}")
    try:
        sweep = TuningSweep.from_manifest(manifest)
    except ValidationError as error:
        note(str(error))
        assert theirs
        return
    assert not theirs
    for resource, built in (
        (SECRETS, build_secret(sweep, "token", PAIR)),
        (CONFIG_MAPS, build_config_map(sweep, Settings())),
        (CLAIMS, build_claim(sweep)),
        (NETWORK_POLICIES, build_network_policy(sweep, Settings())),
    ):
        assert built is None or server.refusal(resource, built) == ""
    refused = server.refusal(RAY_JOBS, build_ray_job(sweep, Settings(), suspend=sweep.spec.suspend))
    assert not [field for field in fields_in(refused) if not FREE_FORM.search(field)], refused


def fields_in(refusal: str) -> list[str]:
    """The fields that a refusal names; its whole text where it names none."""
    return re.findall(r"spec\.rayClusterSpec\.[\w.\[\]]+", refusal) or [refusal] * bool(refusal)
