"""Random specs against the real API server: it accepts what we accept and refuses what we refuse."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3
from hypothesis import given, note
from pydantic import ValidationError

from support.chart import CHART
from support.control_plane import ControlPlane, running_control_plane
from support.fuzz import EXAMPLES, fuzzed, sweep_manifests
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_operator.builders.claim import build_claim
from tuningsweep_operator.builders.config_map import build_config_map
from tuningsweep_operator.builders.network_policy import build_network_policy
from tuningsweep_operator.resources import CLAIMS, CONFIG_MAPS, NETWORK_POLICIES, SWEEPS, Manifest, Resource
from tuningsweep_operator.settings import Settings

SAMPLE = max(200, EXAMPLES // 5)


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
        plane.apply_crds(CHART / "files" / "crd.yaml")
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
        (CONFIG_MAPS, build_config_map(sweep, Settings())),
        (CLAIMS, build_claim(sweep)),
        (NETWORK_POLICIES, build_network_policy(sweep, Settings())),
    ):
        assert built is None or server.refusal(resource, built) == ""
