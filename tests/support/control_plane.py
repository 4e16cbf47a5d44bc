"""A real API server with etcd and no node, on loopback: for tests and benchmarks that need objects but no running pods.

What envtest is for Go controllers. The controller manager (garbage collection, service accounts, quotas) is there on
request. Pods are never scheduled; whoever needs them running takes the test cluster of `tests/cluster/rig` instead.
"""

import json
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from kubernetes import client

from support.api_server import ApiServer, KubectlError
from support.patience import PATIENCE
from support.rig import rig_file
from tuningsweep_operator.resources import Resource

DEFINITIONS = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions")
SELDOM_COLLECTED = {"GOGC": "400"}
"""Of a process that lives for a minute, a third of the time would go into the collection of garbage."""
END_SECONDS = 30


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class ControlPlane:
    """The running processes, by name, and how to reach the API server as its administrator."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"https://127.0.0.1:{free_port()}"
        self.token = secrets.token_hex(16)
        self.kubeconfig = folder / "kubeconfig"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.kubectl_program = rig_file("kubernetes", "kubectl")
        self._etcd = f"http://127.0.0.1:{free_port()}"

    def start(self, *, controllers: bool, options: tuple[str, ...] = ()) -> None:
        """Start etcd and the API server (with more `options`), and the controller manager if wanted; wait until ready."""
        (self.folder / "tokens.csv").write_text(f"{self.token},admin,admin,system:masters\n")
        write_kubeconfig(self.kubeconfig, self.url, self.token)
        self._make_service_account_key()
        self._start_etcd()
        self.start_api_server(*options)
        if controllers:
            self._start_controllers()

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """What `kubectl ARGUMENTS` prints, as the administrator; KubectlError with its words if it fails."""
        command = [str(self.kubectl_program), "--kubeconfig", str(self.kubeconfig), *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=PATIENCE, check=False)
        if done.returncode != 0:
            raise KubectlError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
        return done.stdout

    def find(self, resource: Resource, name: str, namespace: str = "default") -> dict[str, Any] | None:
        """An object, or None where there is none."""
        return self._server.find(resource, namespace, name)

    def get(self, resource: Resource, name: str, namespace: str = "default") -> dict[str, Any]:
        """An object that is there."""
        found = self.find(resource, name, namespace)
        assert found is not None, f"{resource.plural} {name} not found in {namespace}"
        return found

    def items(
        self, resource: Resource, namespace: str = "default", selector: str | None = None
    ) -> list[dict[str, Any]]:
        """Objects of a kind, by label."""
        return self._server.items(resource, namespace, selector)

    def refusal(self, resource: Resource, manifest: dict[str, Any]) -> str:
        """Why an object of the namespace `default` would not be created; empty if it would."""
        return self._server.refusal(resource, "default", manifest)

    def raw(self, path: str) -> str:
        """What `kubectl get --raw PATH` prints."""
        return self._server.text(path)

    @cached_property
    def _server(self) -> ApiServer:
        settings = client.Configuration(host=self.url, api_key={"authorization": f"Bearer {self.token}"})
        settings.ssl_ca_cert = str(self.folder / "certificates" / "apiserver.crt")
        settings.retries = False
        return ApiServer(client.ApiClient(settings))

    def create_crds(self, *files: Path) -> None:
        """Create CRDs, or those in a folder, and wait until the API server takes objects of them.

        An apply of KubeRay's would cost the server twice the CPU time: it would keep book of each of their fields.
        """
        for file in files:
            self.kubectl("create", "-f", str(file))
        deadline = time.monotonic() + PATIENCE
        while not all(map(_is_established, json.loads(self.raw(DEFINITIONS.everywhere))["items"])):
            assert time.monotonic() < deadline, "the CRDs are not established"
            time.sleep(0.2)

    def start_api_server(self, *options: str) -> None:
        """Start the API server, also again after `end("kube-apiserver")`: its objects are in etcd."""
        key = self.folder / "service-accounts.key"
        self._run(
            "kubernetes",
            "kube-apiserver",
            f"--etcd-servers={self._etcd}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self.url.rpartition(':')[2]}",
            f"--cert-dir={self.folder}/certificates",
            f"--token-auth-file={self.folder}/tokens.csv",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.97.0.0/16",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            *options,
        )
        self._wait_until_ready()

    def end(self, name: str) -> None:
        """End one process and wait for it."""
        process = self.processes.pop(name)
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def end_all(self) -> None:
        """End every process, those that use others first."""
        for name in reversed(list(self.processes)):
            self.end(name)

    def _start_etcd(self) -> None:
        peer = f"http://127.0.0.1:{free_port()}"
        self._run(
            "etcd",
            "etcd",
            f"--data-dir={self.folder}/etcd",
            "--unsafe-no-fsync",
            f"--quota-backend-bytes={8 << 30}",
            f"--listen-client-urls={self._etcd}",
            f"--advertise-client-urls={self._etcd}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
        )

    def _start_controllers(self) -> None:
        self._run(
            "kubernetes",
            "kube-controller-manager",
            f"--kubeconfig={self.kubeconfig}",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            f"--secure-port={free_port()}",
            f"--cert-dir={self.folder}/certificates",
            f"--service-account-private-key-file={self.folder}/service-accounts.key",
        )

    def _make_service_account_key(self) -> None:
        path = self.folder / "service-accounts.key"
        subprocess.run(["openssl", "genrsa", "-out", path, "2048"], capture_output=True, check=True)

    def _run(self, tool: str, name: str, *options: str) -> None:
        program = rig_file(tool, name)
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [program, *options], cwd=self.folder, env={**os.environ, **SELDOM_COLLECTED}, stdout=log, stderr=log
            )

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self._is_ready():
            ended = [name for name, process in self.processes.items() if process.poll() is not None]
            if ended or time.monotonic() > deadline:
                name = (ended or ["kube-apiserver"])[0]
                raise AssertionError(f"{name} did not start: {(self.folder / f'{name}.log').read_text()[-3000:]}")
            time.sleep(0.2)

    def _is_ready(self) -> bool:
        certificate = self.folder / "certificates" / "apiserver.crt"
        try:
            return certificate.exists() and self.raw("/readyz") == "ok"
        except KubectlError:
            return False


def _is_established(crd: dict[str, Any]) -> bool:
    conditions = crd.get("status", {}).get("conditions") or []
    return any(condition["type"] == "Established" and condition["status"] == "True" for condition in conditions)


def write_kubeconfig(path: Path, url: str, token: str) -> None:
    """A kubeconfig for a server on loopback whose certificate it made itself."""
    configuration = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test", "namespace": "default"}}],
        "clusters": [{"name": "test", "cluster": {"server": url, "insecure-skip-tls-verify": True}}],
        "users": [{"name": "test", "user": {"token": token}}],
    }
    path.write_text(json.dumps(configuration))


@contextmanager
def running_control_plane(
    folder: Path, *, controllers: bool = False, options: tuple[str, ...] = ()
) -> Iterator[ControlPlane]:
    """A control plane of its own with an empty store below `folder`; skips the test where it can't be built."""
    plane = ControlPlane(folder)
    try:
        plane.start(controllers=controllers, options=options)
        yield plane
    finally:
        plane.end_all()
