"""Kueue from its own manifests: as a process beside a control plane without nodes, and what queues are made of."""

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.control_plane import ControlPlane, free_port
from support.controllers import running, wait_healthy
from support.gitops import built
from support.patience import PATIENCE
from support.rig import rig_file

NAMESPACE = "kueue-system"
SECRET = "kueue-webhook-server-cert"
API = "kueue.x-k8s.io/v1beta1"
QUEUE = "team-queue"
WITHOUT_VISIBILITY = "--feature-gates=VisibilityOnDemand=false"


def manifests() -> list[dict[str, Any]]:
    """The release manifests of the Kueue that the rig builds, but for its visibility server: an API and a role for it."""
    found = built(rig_file("kueue", "config") / "default")
    ours = [manifest for manifest in found if manifest["metadata"].get("namespace", NAMESPACE) == NAMESPACE]
    return [manifest for manifest in ours if manifest["kind"] != "APIService"]


@contextmanager
def running_kueue(plane: ControlPlane) -> Iterator[None]:
    """Kueue's manager with its webhooks in the API server's way, as the administrator; ready to admit."""
    webhook, health = free_port(), free_port()
    plane.kubectl("apply", "--server-side", "-f", "-", stdin=_as_list(_reachable(manifests(), webhook)))
    certificates = plane.folder / "kueue"
    certificates.mkdir()
    configuration = certificates / "configuration.yaml"
    configuration.write_text(json.dumps(_configuration(webhook, health, certificates)))
    command = [str(rig_file("kueue", "kueue")), f"--config={configuration}", WITHOUT_VISIBILITY]
    log = plane.folder / "kueue.log"
    with running(command, log, {"KUBECONFIG": str(plane.kubeconfig)}) as process:
        _mount_certificates(plane, certificates)
        wait_healthy(process, health, "readyz", log)
        yield


def _configuration(webhook: int, health: int, certificates: Path) -> dict[str, Any]:
    return {
        "apiVersion": "config.kueue.x-k8s.io/v1beta1",
        "kind": "Configuration",
        "namespace": NAMESPACE,
        "health": {"healthProbeBindAddress": f"127.0.0.1:{health}"},
        "metrics": {"bindAddress": f"127.0.0.1:{free_port()}"},
        "webhook": {"host": "127.0.0.1", "port": webhook, "certDir": str(certificates)},
        "leaderElection": {"leaderElect": False},
        "internalCertManagement": {"enable": True},
        "integrations": {"frameworks": ["batch/job", "ray.io/rayjob", "ray.io/raycluster"]},
    }


def _reachable(found: list[dict[str, Any]], port: int) -> list[dict[str, Any]]:
    """The manifests with the webhook's Service as another name of this machine, on which the process listens."""
    kept = [manifest for manifest in found if manifest["kind"] != "Deployment"]
    for manifest in kept:
        if manifest["kind"] == "Service" and manifest["metadata"]["name"] == "kueue-webhook-service":
            manifest["spec"] = {"type": "ExternalName", "externalName": "localhost"}
        for hook in manifest.get("webhooks", []):
            hook["clientConfig"]["service"]["port"] = port
    return kept


def _mount_certificates(plane: ControlPlane, folder: Path) -> None:
    """What a kubelet would do: bring the Secret that Kueue fills to where it looks for it."""
    deadline = time.monotonic() + PATIENCE
    while "tls.crt" not in (data := _secret(plane)):
        assert time.monotonic() < deadline, (plane.folder / "kueue.log").read_text()[-3000:]
        time.sleep(0.2)
    for name in ("ca.crt", "tls.key", "tls.crt"):
        (folder / name).write_bytes(base64.b64decode(data[name]))


def _secret(plane: ControlPlane) -> dict[str, str]:
    return dict(json.loads(plane.kubectl("get", "secret", SECRET, "-n", NAMESPACE, "-o", "json")).get("data") or {})


def _as_list(items: list[dict[str, Any]]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


def queue_manifests(namespace: str, quota: dict[str, str], name: str = QUEUE) -> list[dict[str, Any]]:
    """A LocalQueue in the namespace on a ClusterQueue of its own with this quota, and two priorities, `high` and `low`."""
    flavor = {"name": name, "resources": [{"name": key, "nominalQuota": value} for key, value in quota.items()]}
    cluster_queue = {
        "namespaceSelector": {},
        "preemption": {"withinClusterQueue": "LowerPriority"},
        "resourceGroups": [{"coveredResources": list(quota), "flavors": [flavor]}],
    }
    return [
        {"apiVersion": API, "kind": "ResourceFlavor", "metadata": {"name": name}},
        {"apiVersion": API, "kind": "ClusterQueue", "metadata": {"name": name}, "spec": cluster_queue},
        {
            "apiVersion": API,
            "kind": "LocalQueue",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"clusterQueue": name},
        },
        *(
            {"apiVersion": API, "kind": "WorkloadPriorityClass", "metadata": {"name": word}, "value": value}
            for word, value in (("high", 1000), ("low", 10))
        ),
    ]


def queue_labels(priority: str, name: str = QUEUE) -> dict[str, str]:
    """The labels of a sweep in the queue."""
    return {"kueue.x-k8s.io/queue-name": name, "kueue.x-k8s.io/priority-class": priority}
