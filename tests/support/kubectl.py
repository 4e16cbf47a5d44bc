"""kubectl for tests: the commands a user types, with JSON out and a bounded wait.

The kubeconfig and the network namespace come from `tests/cluster/rig/in-cluster`, which runs the whole test process.
"""

import json
import subprocess
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from kubernetes import client, config

from support.api_server import ApiServer, KubectlError
from support.patience import PATIENCE
from tuningsweep_operator.resources import (
    CLAIMS,
    CONFIG_MAPS,
    EVENTS,
    LEASES,
    PODS,
    RAY_JOBS,
    SECRETS,
    SWEEPS,
)

READ: Final = {
    name: resource
    for names, resource in {
        ("tuningsweep", "tuningsweeps", "sweep", "sweeps"): SWEEPS,
        ("pod", "pods"): PODS,
        ("rayjob", "rayjobs"): RAY_JOBS,
        ("secret", "secrets"): SECRETS,
        ("configmap", "configmaps"): CONFIG_MAPS,
        ("event", "events"): EVENTS,
        ("lease", "leases"): LEASES,
        ("pvc", "persistentvolumeclaims"): CLAIMS,
    }.items()
    for name in names
}
"""What is read over a connection; other kinds, lists of several and everything else are kubectl's."""


@cache
def _server() -> ApiServer:
    """With the rights of kubectl, by the same kubeconfig."""
    settings = client.Configuration()
    settings.retries = False
    return ApiServer(config.new_client_from_config(client_configuration=settings))


@dataclass(frozen=True)
class Kubectl:
    """kubectl bound to a namespace."""

    namespace: str = "default"

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """Standard output of `kubectl --namespace NAMESPACE ARGUMENTS`; KubectlError if it fails."""
        command = ["kubectl", "--namespace", self.namespace, *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=PATIENCE, check=False)
        if done.returncode != 0:
            raise KubectlError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
        return done.stdout

    def apply(self, *manifests: dict[str, Any], dry_run: bool = False) -> str:
        """`kubectl apply` of manifests given as dictionaries."""
        extra = ["--dry-run=server"] if dry_run else []
        listed = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        return self.run("apply", *extra, "-f", "-", stdin=json.dumps(manifests[0] if len(manifests) == 1 else listed))

    def refusal(self, kind: str, manifest: dict[str, Any]) -> str:
        """Why the API server would not take a new object, as `kubectl apply --dry-run=server` shows; empty if it would."""
        return _server().refusal(READ[kind], self.namespace, manifest)

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """One object."""
        if kind not in READ:
            return dict(json.loads(self.run("get", kind, name, "-o", "json")))
        found = self.find(kind, name)
        if found is None:
            raise KubectlError(f"{kind} {name} not found in {self.namespace}")
        return found

    def find(self, kind: str, name: str) -> dict[str, Any] | None:
        """One object, or None where there is none."""
        if kind in READ:
            return _server().find(READ[kind], self.namespace, name)
        printed = self.run("get", kind, name, "-o", "json", "--ignore-not-found")
        return dict(json.loads(printed)) if printed.strip() else None

    def items(self, kind: str, selector: str | None = None) -> list[dict[str, Any]]:
        """Objects of a kind, by label."""
        if kind in READ:
            return _server().items(READ[kind], self.namespace, selector)
        extra = ["-l", selector] if selector else []
        return list(json.loads(self.run("get", kind, "-o", "json", *extra))["items"])

    def raw(self, path: str) -> str:
        """What `kubectl get --raw PATH` prints."""
        return _server().text(path)

    def patch(self, kind: str, name: str, patch: dict[str, Any]) -> None:
        """A merge patch, as `kubectl patch --type merge`."""
        self.run("patch", kind, name, "--type", "merge", "-p", json.dumps(patch))

    def merge_status(self, kind: str, name: str, status: dict[str, Any]) -> None:
        """Write fields of the status of one object, over a connection."""
        _server().merge_status(READ[kind], self.namespace, name, status)
