"""The operator's rights as the chart grants them, both ways: the real operator works with them, and no others are there."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.chart import CHART, templated
from support.control_plane import ControlPlane, free_port, running_control_plane, write_kubeconfig
from support.patience import PATIENCE, eventually
from support.rig import rig_file
from support.sweeps import BASE, edited
from tuningsweep_operator import resources

RELEASE = "tuningsweep-system"
ACCOUNT = "tuningsweep-operator"
OPERATOR = Path(sys.executable).with_name("tuningsweep-operator")
SWEEPS, RAY = "tuningsweep.io/tuningsweeps", "ray.io/rayjobs"

MAY = [
    *[(verb, SWEEPS) for verb in ("get", "list", "watch", "delete")],
    ("patch", f"{SWEEPS}/status"),
    *[(verb, RAY) for verb in ("get", "list", "watch", "create", "patch", "delete")],
    *[(verb, "kueue.x-k8s.io/workloads") for verb in ("list", "watch")],
    ("get", "ray.io/rayclusters"),
    *[
        (verb, kind)
        for kind in ("secrets", "configmaps", "persistentvolumeclaims")
        for verb in ("get", "create", "patch")
    ],
    *[(verb, "networking.k8s.io/networkpolicies") for verb in ("get", "create", "patch")],
    *[(verb, "pods") for verb in ("get", "list", "watch")],
    ("create", "events"),
]
NODES = [(verb, "nodes") for verb in ("list", "get", "watch", "patch")]
LEASES = [(verb, "coordination.k8s.io/leases") for verb in ("create", "list", "delete")]
MAY_NOT = [
    *[(verb, SWEEPS) for verb in ("create", "update", "patch", "deletecollection")],
    ("update", f"{SWEEPS}/status"),
    *[(verb, RAY) for verb in ("update", "deletecollection")],
    *[(verb, "kueue.x-k8s.io/workloads") for verb in ("create", "patch", "delete")],
    *[(verb, "ray.io/rayclusters") for verb in ("list", "create", "patch", "delete")],
    *[(verb, "secrets") for verb in ("list", "watch", "update", "delete", "deletecollection")],
    *[(verb, "pods") for verb in ("create", "update", "patch", "delete")],
    *[
        ("create", kind)
        for kind in ("pods/exec", "pods/portforward", "pods/ephemeralcontainers", "serviceaccounts/token")
    ],
    *[(verb, "apps/deployments") for verb in ("get", "create", "patch")],
    *[(verb, "rbac.authorization.k8s.io/roles") for verb in ("get", "create", "bind", "escalate")],
    *[(verb, "rbac.authorization.k8s.io/rolebindings") for verb in ("create", "patch")],
    *[(verb, "nodes") for verb in ("get", "list")],
    ("impersonate", "users"),
    *[(verb, "networking.k8s.io/networkpolicies") for verb in ("list", "update", "delete")],
    ("*", "*/*"),
]
"""Verbs on resources, as GROUP/RESOURCE[/SUBRESOURCE]; the core group is left out."""


@dataclass
class Installation:
    """A control plane with two namespaces, our CRD and KubeRay's, and the chart's account and rights."""

    plane: ControlPlane
    folder: Path

    def install(self, *settings: str) -> None:
        manifests = yaml.safe_load_all(templated(*(part for one in settings for part in ("--set-json", one))))
        kinds = ("ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
        wanted = [manifest for manifest in manifests if manifest and manifest["kind"] in kinds]
        self.plane.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(wanted))

    def uninstall(self) -> None:
        names = ("clusterrole,clusterrolebinding", "-l", "app.kubernetes.io/name=tuningsweep")
        self.plane.kubectl("delete", *names)
        self.plane.kubectl("delete", "role,rolebinding", "-A", "-l", "app.kubernetes.io/name=tuningsweep")

    def allowed(self, questions: list[tuple[str, str]], namespace: str) -> list[tuple[str, str]]:
        """Those of the questions that the API server's authorizer answers with yes for the operator's account."""
        reviews = [json.dumps(_review(verb, resource, namespace)) for verb, resource in questions]
        answered = self.plane.kubectl("create", "-o", "json", "-f", "-", stdin="\n---\n".join(reviews))
        answers = _documents(answered)
        assert len(answers) == len(questions)
        return [one for one, answer in zip(questions, answers, strict=True) if answer["status"]["allowed"]]

    def expect(self, questions: list[tuple[str, str]], namespace: str, allowed: list[tuple[str, str]]) -> None:
        """Those alone are answered with yes; the authorizer hears of new rights a moment later."""
        eventually(
            lambda: self.allowed(questions, namespace) == allowed, f"rights in {namespace} are {allowed} of {questions}"
        )

    @contextmanager
    def operator(self, **environment: str) -> Iterator[Path]:
        """The real operator with its account's own token; the file with its log."""
        token = self.plane.kubectl("create", "token", ACCOUNT, "-n", RELEASE).strip()
        write_kubeconfig(self.folder / "operator.kubeconfig", self.plane.url, token)
        log = self.folder / "operator.log"
        environment |= {
            "KUBECONFIG": str(self.folder / "operator.kubeconfig"),
            "TUNINGSWEEP_HEALTH_PORT": str(free_port()),
        }
        with log.open("wb") as output:
            process = subprocess.Popen([OPERATOR], stdout=output, stderr=output, env={**os.environ, **environment})
        try:
            yield log
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _review(verb: str, resource: str, namespace: str) -> dict[str, Any]:
    group, _, rest = (
        resource.partition("/") if "." in resource or resource.startswith(("apps/", "*/")) else ("", "", resource)
    )
    kind, _, subresource = rest.partition("/")
    asked = {"verb": verb, "group": group, "resource": kind, "subresource": subresource, "namespace": namespace}
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "metadata": {},
        "spec": {
            "user": f"system:serviceaccount:{RELEASE}:{ACCOUNT}",
            "groups": ["system:serviceaccounts", f"system:serviceaccounts:{RELEASE}", "system:authenticated"],
            "resourceAttributes": asked,
        },
    }


def _documents(text: str) -> list[dict[str, Any]]:
    """JSON objects written one after the other, or a List of them."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(text):
        document, at = decoder.raw_decode(text, at)
        found += document["items"] if document["kind"] == "List" else [document]
        at += len(text[at:]) - len(text[at:].lstrip())
    return found


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("plane")
    with running_control_plane(folder) as plane:
        crds = rig_file("kuberay", "config/crd/bases")
        plane.create_crds(crds / "ray.io_rayjobs.yaml", crds / "ray.io_rayclusters.yaml", CHART / "files" / "crd.yaml")
        for namespace in (RELEASE, "ours", "theirs", "another"):
            plane.kubectl("create", "namespace", namespace)
        yield Installation(plane, folder)


def made_for(installation: Installation, namespace: str) -> list[str]:
    kinds = "secrets,configmaps,persistentvolumeclaims,networkpolicies,rayjobs"
    printed = installation.plane.kubectl("get", kinds, "-n", namespace, "-l", "tuningsweep.io/sweep", "-o", "name")
    return sorted(line.split("/")[0] for line in printed.split())


ALL_KINDS = ["configmap", "networkpolicy.networking.k8s.io", "persistentvolumeclaim", "rayjob.ray.io", "secret"]


def works(installation: Installation, namespace: str, name: str) -> bool:
    """Whether a new sweep gets all of its objects and a status."""
    sweep = edited(BASE, {"metadata.name": name, "metadata.namespace": namespace})
    installation.plane.kubectl("apply", "-f", "-", stdin=json.dumps(sweep))

    def seen() -> bool:
        status = installation.plane.get(resources.SWEEPS, name, namespace).get("status", {})
        return status.get("phase") == "Pending" and made_for(installation, namespace) == ALL_KINDS

    return eventually(seen, f"{namespace}/{name} has its objects and a status")


def test_in_all_namespaces(installation: Installation) -> None:
    installation.install()
    for namespace in ("ours", "theirs"):
        installation.expect(MAY, namespace, MAY)
        installation.expect(MAY_NOT, namespace, [])
    with installation.operator(TUNINGSWEEP_NETWORK_POLICIES="true") as log:
        assert works(installation, "another", "everywhere")
    assert "forbidden" not in log.read_text().lower()
    installation.uninstall()


def test_nodes_are_listed_only_where_sweeps_are_held_back(installation: Installation) -> None:
    installation.install("holdBack.enabled=true")
    installation.expect(NODES, "ours", NODES[:1])
    with installation.operator(TUNINGSWEEP_HOLD_BACK="true") as log:
        sweep = edited(BASE, {"metadata.name": "held", "metadata.namespace": "another"})
        installation.plane.kubectl("apply", "-f", "-", stdin=json.dumps(sweep))
        printed = ("get", "sweep", "held", "-n", "another", "-o", "jsonpath={.status.conditions[0].reason}")
        eventually(lambda: installation.plane.kubectl(*printed) == "WaitingForCapacity", "it waits for a node")
    assert "forbidden" not in log.read_text().lower()
    installation.uninstall()


def test_in_named_namespaces_with_roles_only(installation: Installation) -> None:
    installation.install('watchNamespaces=["ours"]')
    printed = installation.plane.kubectl("get", "clusterrolebindings,clusterroles", "-o", "name")
    assert "tuningsweep" not in printed
    installation.expect(MAY, "ours", MAY)
    for namespace in ("theirs", "kube-system", RELEASE):
        installation.expect(MAY + MAY_NOT, namespace, [])
    installation.expect(MAY_NOT, "ours", [])
    installation.expect(LEASES, RELEASE, LEASES[:1])
    installation.expect(LEASES, "ours", [])
    theirs = edited(BASE, {"metadata.namespace": "theirs"})
    installation.plane.kubectl("apply", "-f", "-", stdin=json.dumps(theirs))
    with installation.operator(TUNINGSWEEP_NETWORK_POLICIES="true", TUNINGSWEEP_WATCH_NAMESPACES="ours") as log:
        assert works(installation, "ours", "here")
    assert made_for(installation, "theirs") == []
    refused = [line for line in log.read_text().splitlines() if "forbidden" in line.lower()]
    assert refused == []
