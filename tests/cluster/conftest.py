"""Fixtures of the cluster tests: a namespace of its own with enforced restricted pod security, a data server.

They run inside the test cluster's network namespace (tests/cluster/rig/in-cluster) and refuse any other: only a cluster
whose kube-system carries the test label, or the one named by TUNINGSWEEP_TEST_CONTEXT, is touched.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.sweeps import trainables_config_map
from support.api_server import KubectlError
from support.kubectl import Kubectl
from support.openml_server import serve
from support.patience import eventually

SUPPORT = Path(__file__).parent.parent / "support"
TEST_LABEL = "tuningsweep.io/test-cluster"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.cluster)
    # A long one that begins last would run alone, with nothing beside it to fill its waits.
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session")
def cluster() -> Kubectl:
    """kubectl bound to kube-system of a cluster that is there for tests."""
    kubectl = Kubectl("kube-system")
    context = subprocess.run(
        ["kubectl", "config", "current-context"], capture_output=True, text=True, check=True
    ).stdout.strip()
    labels = kubectl.get("namespace", "kube-system")["metadata"].get("labels", {})
    if TEST_LABEL not in labels and os.environ.get("TUNINGSWEEP_TEST_CONTEXT") != context:
        pytest.exit(f"context {context} is not a test cluster; set TUNINGSWEEP_TEST_CONTEXT={context} to use it", 2)
    return kubectl


def _make_namespace(cluster: Kubectl, name: str) -> Kubectl:
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    kubectl = Kubectl(name)
    eventually(lambda: kubectl.find("serviceaccount", "default"), f"an account for pods in {name}")
    kubectl.apply(trainables_config_map((SUPPORT / "trainables.py").read_text()))
    return kubectl


@pytest.fixture
def kubectl(cluster: Kubectl, request: pytest.FixtureRequest) -> Iterator[Kubectl]:
    """kubectl bound to a fresh namespace; what is in it is printed when the test fails, then deleted."""
    name = "t-" + re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:40].strip("-")
    kubectl = _make_namespace(cluster, name)
    failures = request.session.testsfailed
    yield kubectl
    if request.session.testsfailed > failures or request.config.getoption("--tb") == "auto":
        _describe(kubectl)
    cluster.run("delete", "namespace", name, "--wait=false")


def _describe(kubectl: Kubectl) -> None:
    """Print what a person would look at first; pytest shows it with a failure only."""
    for command in (
        ("get", "tuningsweeps,rayjobs,rayclusters,pods,pvc", "-o", "wide"),
        ("get", "tuningsweeps", "-o", "jsonpath={range .items[*]}{.metadata.name}{.status}{'\\n'}{end}"),
        ("get", "events", "--sort-by=.lastTimestamp"),
        ("logs", "-l", "ray.io/node-type=head", "--tail=30"),
    ):
        try:
            print("$ kubectl", *command[:2], "\n" + kubectl.run(*command))
        except KubectlError as error:
            print(error)


@pytest.fixture(scope="session")
def host_address() -> str:
    """This host's address as pods see it: the address of the interface that leads to the pod network."""
    return os.environ.get("TUNINGSWEEP_TEST_HOST_ADDRESS", "10.244.0.1")


@pytest.fixture(scope="session")
def openml_server(host_address: str) -> Iterator[str]:
    """Base address of an OpenML-compatible server that pods can reach."""
    with serve(host_address) as server:
        yield server.address
