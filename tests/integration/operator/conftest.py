"""A control plane with our CRDs and KubeRay's for each file of tests of the operator, and what stands in for KubeRay."""

from collections.abc import Iterator

import pytest

from support.control_plane import ControlPlane, running_control_plane
from support.fake_driver import FakeCluster, fake_cluster
from support.operator_process import install_definitions


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with running_control_plane(tmp_path_factory.mktemp("plane")) as plane:
        install_definitions(plane)
        yield plane


@pytest.fixture(scope="module")
def cluster(plane: ControlPlane) -> Iterator[FakeCluster]:
    with fake_cluster(plane) as cluster:
        yield cluster
