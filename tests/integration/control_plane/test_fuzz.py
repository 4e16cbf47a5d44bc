"""Random specs against the real API server: it accepts what we accept and refuses what we refuse."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, note
from pydantic import ValidationError

from support.chart import CHART
from support.control_plane import ControlPlane, running_control_plane
from support.controllers import wait_served
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
)
from tuningsweep_operator.settings import Settings

SAMPLE = max(100, EXAMPLES // 5)
FREE_FORM = re.compile(
    r"\.template\.spec\.(tolerations|affinity|volumes|containers\[0\]\.(volumeMounts|env\[\d+\]\.valueFrom))"
)
"""Parts of the pod API that a sweep passes on unread: Kubernetes says what is wrong with them, as does PodRefused."""
PAIR = KeyPair("certificate", "key")


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with running_control_plane(tmp_path_factory.mktemp("plane")) as plane:
        plane.create_crds(
            CHART / "files" / "crd.yaml", rig_file("kuberay", "config") / "crd" / "bases" / "ray.io_rayjobs.yaml"
        )
        wait_served(plane, "tuningsweeps", "rayjobs")
        yield plane


@fuzzed(SAMPLE)
@given(manifest=sweep_manifests())
def test_the_api_server_agrees(plane: ControlPlane, manifest: dict[str, Any]) -> None:
    theirs = plane.refusal(SWEEPS, manifest)
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
        assert built is None or plane.refusal(resource, built) == ""
    refused = plane.refusal(RAY_JOBS, build_ray_job(sweep, Settings(), suspend=sweep.spec.suspend))
    assert not [field for field in fields_in(refused) if not FREE_FORM.search(field)], refused


def fields_in(refusal: str) -> list[str]:
    """The fields that a refusal names; its whole text where it names none."""
    return re.findall(r"spec\.rayClusterSpec\.[\w.\[\]]+", refusal) or [refusal] * bool(refusal)
