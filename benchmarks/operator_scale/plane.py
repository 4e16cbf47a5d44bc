"""A control plane with what the measurements need in it: both sets of CRDs, our roles, and its own count of writes."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.machine import ROOT
from benchmarks.operator_scale.client import Access
from benchmarks.operator_scale.objects import NAMESPACE
from support.control_plane import ControlPlane, running_control_plane, write_kubeconfig
from support.rig import rig_file

OPERATOR: Final = "tuningsweep-operator"
OPERATOR_NAMESPACE: Final = "tuningsweep-system"
WRITES: Final = frozenset({"POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION"})
WRITTEN: Final = frozenset({"tuningsweeps", "rayjobs", "secrets", "configmaps", "persistentvolumeclaims", "events"})
_SERIES: Final = re.compile(r"^apiserver_request_total\{(.*)\} (\S+)$", re.MULTILINE)
_LABEL: Final = re.compile(r'(\w+)="([^"]*)"')


@contextmanager
def bench_plane(folder: Path) -> Iterator[ControlPlane]:
    """A control plane of its own below `folder`, with CRDs, roles and the namespace of the sweeps."""
    folder.mkdir(parents=True)
    with running_control_plane(folder) as plane:
        plane.create_crds(rig_file("kuberay", "config/crd/bases"))
        plane.kubectl("apply", "--server-side", "-f", str(ROOT / "manifests" / "install.yaml"))
        plane.kubectl("create", "namespace", NAMESPACE)
        for crd in ("rayjobs.ray.io", "rayclusters.ray.io", "tuningsweeps.tuningsweep.io"):
            plane.kubectl("wait", "--for=condition=Established", f"crd/{crd}", "--timeout=60s")
        yield plane


def administrator(plane: ControlPlane) -> Access:
    """Access of the client that makes the objects."""
    return Access(plane.url, plane.token)


def operator_kubeconfig(plane: ControlPlane) -> Path:
    """A kubeconfig with the operator's service account, so that it has its rights and its share of the API server alone."""
    path = plane.folder / "operator.kubeconfig"
    token = plane.kubectl("create", "token", OPERATOR, "-n", OPERATOR_NAMESPACE, "--duration=24h").strip()
    write_kubeconfig(path, plane.url, token)
    return path


def writes(plane: ControlPlane) -> int:
    """Requests so far that would change an object of a sweep, by the API server's own count."""
    return count_writes(plane.kubectl("get", "--raw", "/metrics"))


def count_writes(exposition: str) -> int:
    """The same from its metrics in Prometheus text form; refused ones count too."""
    total = 0.0
    for found in _SERIES.finditer(exposition):
        labels = dict(_LABEL.findall(found[1]))
        if labels["verb"] in WRITES and labels["resource"] in WRITTEN:
            total += float(found[2])
    return int(total)
