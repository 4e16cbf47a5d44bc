"""Metrics read from the store and the work queue whenever they are scraped: sweeps by phase, stalled ones, lag, depth.

Registered by the health server. Of the replicas, only the one that holds the lease tells about sweeps. A sweep has a series
of its own only while it is stalled, so their number stays small.
"""

import time
from collections import Counter
from collections.abc import Iterator
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tuningsweep_api.outcomes import ConditionReason, ConditionType, Phase
from tuningsweep_operator.lease import Fence
from tuningsweep_operator.resources import Key, Manifest, key_of
from tuningsweep_operator.store import Store
from tuningsweep_operator.work_queue import WorkQueue

KUBERAY_MISSING: Final = frozenset({ConditionReason.KUBERAY_NOT_INSTALLED, ConditionReason.KUBERAY_NOT_RESPONDING})

_PREFIX: Final = "tuningsweep_operator_"


class StateCollector(Collector):
    """Turns what the operator knows at the moment into metric families."""

    def __init__(self, store: Store, queue: WorkQueue, fence: Fence) -> None:
        self._store, self._queue, self._fence = store, queue, fence

    def collect(self) -> Iterator[Metric]:
        """One family a metric."""
        leads = self._fence() > 0.0
        if leads:
            yield from self._of_sweeps()
        waiting, working = self._queue.depth()
        waiting = waiting if leads else 0
        yield _gauge("queue_depth", "Sweeps that are due for a reconcile and wait for a worker.", waiting)
        yield _gauge("queue_working", "Sweeps that are being reconciled.", working)
        yield self._watch_lag()

    def _of_sweeps(self) -> Iterator[Metric]:
        sweeps = list(self._store.sweeps.values())
        yield _by_phase(sweeps)
        stalled = {key_of(sweep): reason for sweep in sweeps if (reason := _stalled_reason(sweep)) is not None}
        yield _stalled(stalled)
        available = not KUBERAY_MISSING.intersection(stalled.values())
        yield _gauge("kuberay_available", "0 while a sweep waits for KubeRay in vain, else 1.", float(available))

    def _watch_lag(self) -> Metric:
        now = time.monotonic()
        family = GaugeMetricFamily(
            f"{_PREFIX}watch_lag_seconds",
            "How long a watch has not shown a write of ours; 0 for none.",
            labels=["resource"],
        )
        family.add_metric(["tuningsweeps"], self._store.sweeps_lag.longest(now))
        family.add_metric(["rayjobs"], self._store.ray_jobs_lag.longest(now))
        return family


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(_PREFIX + name, help_text, value=value)


def _by_phase(sweeps: list[Manifest]) -> Metric:
    counts = Counter((sweep.get("status") or {}).get("phase", Phase.PENDING.value) for sweep in sweeps)
    family = GaugeMetricFamily(f"{_PREFIX}sweeps", "Sweeps by phase.", labels=["phase"])
    for phase in Phase:
        family.add_metric([phase], counts[phase])
    return family


def _stalled(reasons: dict[Key, str]) -> Metric:
    family = GaugeMetricFamily(
        f"{_PREFIX}sweep_stalled",
        "1 for each sweep whose condition Stalled is true, with its reason.",
        labels=["namespace", "sweep", "reason"],
    )
    for (namespace, name), reason in reasons.items():
        family.add_metric([namespace, name, reason], 1.0)
    return family


def _stalled_reason(sweep: Manifest) -> str | None:
    """The reason of a condition Stalled that is true."""
    for condition in (sweep.get("status") or {}).get("conditions", []):
        if condition["type"] == ConditionType.STALLED and condition["status"] == "True":
            return str(condition["reason"])
    return None
