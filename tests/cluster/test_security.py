"""What protects a sweep on a real cluster: NetworkPolicies in force, Ray's token, TLS, read-only pods, silent logs."""

import base64
import hashlib
import json
import os
import socket
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from cluster.leaks import check_nothing_written
from cluster.sweeps import ONE_WORKER, TRAINER_IMAGE, function_sweep, head_pod, wait_running
from support.enforcer import policies_enforced
from support.kubectl import Kubectl
from support.patience import eventually
from tuningsweep_operator.access import ControlAccess

NAME = "guarded"
PASSWORD = "the-tracking-servers-password"
PORTS = CONTROL, DASHBOARD, GCS, METRICS = 8090, 8265, 6379, 8091
PROBE = """
import socket, sys
from concurrent.futures import ThreadPoolExecutor

def reach(port):
    try:
        socket.create_connection((sys.argv[1], int(port)), timeout=20).close()
        return port
    except OSError:
        return ''

with ThreadPoolExecutor() as pool:
    print(*pool.map(reach, sys.argv[2:]))
"""
RINGED = not os.environ.get("TUNINGSWEEP_TEST_KUBECONFIG") and os.geteuid() == 0
"""Whether the test runs in the rig's own network namespace, where it may lay hands on the node."""


def stranger() -> dict[str, Any]:
    """A pod that belongs to nobody, to look from."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "stranger"},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [
                {
                    "name": "stranger",
                    "image": TRAINER_IMAGE,
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["sleep", "900"],
                    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                }
            ],
        },
    }


def reached(kubectl: Kubectl, pod: str, address: str, *ports: int) -> set[int]:
    """The ports of an address that a pod can connect to."""
    command = ("python3", "-c", PROBE, address, *map(str, ports))
    return {int(port) for port in kubectl.run("exec", pod, "--", *command).split()}


def secret_of(kubectl: Kubectl, name: str) -> dict[str, str]:
    return {key: base64.b64decode(value).decode() for key, value in kubectl.get("secret", name)["data"].items()}


@pytest.fixture
def guarded(kubectl: Kubectl) -> Kubectl:
    """A namespace where a stranger waits and MLflow's password is in a Secret; no sweep yet."""
    kubectl.apply(stranger())
    kubectl.run("create", "secret", "generic", "tracking", f"--from-literal=password={PASSWORD}")
    return kubectl


def sweep() -> dict[str, Any]:
    """A sweep that is busy for as long as anyone looks, and records to a server that is not there."""
    tracking = {"mlflow": {"trackingUri": "http://127.0.0.1:9"}}
    manifest = function_sweep(NAME, "until_told", spec__tracking=tracking, spec__cluster__workers=ONE_WORKER)
    manifest["spec"]["cluster"]["podTemplate"]["env"] += [
        {"name": "MLFLOW_TRACKING_USERNAME", "value": "recorder"},
        {"name": "MLFLOW_TRACKING_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "tracking", "key": "password"}}},
    ]
    return manifest


@pytest.mark.long
@pytest.mark.skipif(not RINGED, reason="the cluster's own network plugin decides on NetworkPolicies")
def test_a_sweep_runs_behind_its_network_policy_and_nothing_of_its_secrets_is_written_anywhere(
    guarded: Kubectl, tmp_path: Path
) -> None:
    node = guarded.items("nodes")[0]["metadata"]["name"]
    with policies_enforced(node, tmp_path / "enforcer.log"):
        guarded.apply(sweep())
        wait_running(guarded, NAME)  # KubeRay submits, the worker joins, the operator is answered
        head = guarded.get("pod", head_pod(guarded, NAME))
        (worker,) = guarded.items("pods", f"tuningsweep.io/sweep={NAME},ray.io/node-type=worker")
        check_who_reaches(head["status"]["podIP"], guarded, worker["metadata"]["name"])
    address = head["status"]["podIP"]
    assert reached(guarded, "stranger", address, *PORTS) == set(PORTS), "it was not the policy that kept it out"
    check_read_only([head, worker])
    check_tls(address, guarded)
    cluster_name = guarded.get("tuningsweep", NAME)["status"]["rayClusterName"]
    ray_token = secret_of(guarded, cluster_name)["auth_token"]
    check_ray_token(address, ray_token)
    secrets = secret_of(guarded, f"{NAME}-control")
    hidden = [secrets["token"], key_of(secrets["tls.key"]), ray_token, PASSWORD]
    check_nothing_written(guarded, NAME, [head, worker], hidden)


def check_who_reaches(address: str, kubectl: Kubectl, worker: str) -> None:
    """Ports of the head: metrics for all, control for the operator, everything for the sweep's own pods."""
    reaches(kubectl, "stranger", address, {METRICS})
    reaches(Kubectl("tuningsweep-system"), "deploy/tuningsweep-operator", address, {CONTROL, METRICS})
    reaches(kubectl, worker, address, set(PORTS))


def reaches(kubectl: Kubectl, pod: str, address: str, allowed: set[int]) -> None:
    """A pod reaches these ports and never another; what decides on each connection may be late on a busy machine."""

    def look() -> bool:
        found = reached(kubectl, pod, address, *PORTS)
        assert found <= allowed, f"{pod} reaches {found - allowed}"
        return found == allowed

    eventually(look, f"{pod} reaches {allowed}")


def check_read_only(pods: list[dict[str, Any]]) -> None:
    for pod in pods:
        for container in [*pod["spec"]["containers"], *pod["spec"].get("initContainers", [])]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True, container["name"]


def check_tls(address: str, kubectl: Kubectl) -> None:
    """The control port speaks TLS alone, with the certificate of the sweep's Secret."""
    access = ControlAccess.from_secret(kubectl.get("secret", f"{NAME}-control"))
    assert access is not None
    shown = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((address, CONTROL), timeout=60))
    assert hashlib.sha256(shown).digest() == access.fingerprint
    with socket.create_connection((address, CONTROL), timeout=60) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert not plain.recv(1024).startswith(b"HTTP")


def check_ray_token(address: str, token: str) -> None:
    """Ray's dashboard, through which anyone could run a job, asks for Ray's token."""
    url = f"http://{address}:{DASHBOARD}/api/jobs/"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url, timeout=60)
    assert refused.value.code in (401, 403)
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert len(json.loads(answer.read())) == 1


def key_of(pem: str) -> str:
    """The middle line of a private key: it would be there however the key was written."""
    return pem.split("\n")[2]
