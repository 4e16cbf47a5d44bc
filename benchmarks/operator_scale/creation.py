"""Many sweeps at once: how long until each has its RayJob and first status, and what the operator takes for it."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.operator_scale.client import Sign, Timings, load
from benchmarks.operator_scale.objects import NAMESPACE, create_all, create_ray_job, create_sweep
from benchmarks.operator_scale.plane import administrator, bench_plane, operator_kubeconfig, writes
from benchmarks.operator_scale.programs import Program, running_kuberay, running_operator
from support.control_plane import ControlPlane
from tuningsweep_operator.resources import RAY_JOBS, SWEEPS

OURS: Final = [
    Sign(RAY_JOBS.path(NAMESPACE), b'"rayClusterSpec"'),
    Sign(SWEEPS.path(NAMESPACE), b'"observedGeneration"'),
]
KUBERAY: Final = [Sign(RAY_JOBS.path(NAMESPACE), b'"jobDeploymentStatus"')]
RECONCILES: Final = "tuningsweep_operator_reconcile_duration_seconds_count"
RESTART_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True)
class Created:
    """What the operator did with many sweeps."""

    timings: Timings
    peak_memory: int
    """Bytes, up to the end of the rest."""
    idle_share: float
    """Of a core, at rest."""
    restart_seconds: float
    restart_writes: int
    restart_memory: int


def floor(folder: Path, count: int) -> float:
    """Seconds of a client that makes what user and operator make, with nobody who watches."""
    with bench_plane(folder) as plane:
        return load(administrator(plane), count, create_all, []).created


def kuberay(folder: Path, count: int) -> float:
    """Seconds until KubeRay has given each of the same RayJobs its first status."""
    with bench_plane(folder) as plane, running_kuberay(plane):
        return load(administrator(plane), count, create_ray_job, KUBERAY).shown[0]


def ours(folder: Path, count: int, settle_seconds: float, rest_seconds: float) -> Created:
    """Create sweeps before a running operator, let it rest, then start it anew.

    KubeRay is not there: after a third of the time to settle, each sweep says so in its status, once.
    """
    settings = {"TUNINGSWEEP_KUBERAY_SILENCE_SECONDS": str(settle_seconds / 3)}
    with bench_plane(folder) as plane:
        kubeconfig = operator_kubeconfig(plane)
        with running_operator(folder, kubeconfig, settings) as operator:
            timings = load(administrator(plane), count, create_sweep, OURS)
            time.sleep(settle_seconds)
            operator.wait_until(lambda: _told(plane) == count, RESTART_SECONDS)
            idle = operator.cpu_share(rest_seconds)
            peak = operator.peak_memory()
        before = writes(plane)
        with running_operator(folder, kubeconfig, settings) as operator:
            seconds = operator.wait_until(lambda: _looked_at_all(operator, count), RESTART_SECONDS)
            time.sleep(rest_seconds)
            return Created(timings, peak, idle, seconds, writes(plane) - before, operator.peak_memory())


def _told(plane: ControlPlane) -> int:
    """How many sweeps say that KubeRay is silent."""
    reasons = '{.items[*].status.conditions[?(@.type=="Stalled")].reason}'
    printed = plane.kubectl("get", "tuningsweeps", "-n", NAMESPACE, "-o", f"jsonpath={reasons}")
    return printed.split().count("KubeRayNotResponding")


def _looked_at_all(operator: Program, count: int) -> bool:
    """Whether every sweep was reconciled at least once, as far as one can tell: no more wait, and as many were done."""
    return operator.metric(RECONCILES) >= count and operator.metric("tuningsweep_operator_queue_depth") == 0
