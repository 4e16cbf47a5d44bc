"""The one module that knows kopf: watches feed the store and make keys due, nothing more. No daemons, no finalizers."""

import asyncio
import logging
from typing import Any

import kopf

from tuningsweep_api import names
from tuningsweep_operator import metrics
from tuningsweep_operator.reconcile import Reconciler
from tuningsweep_operator.resources import Key, key_of
from tuningsweep_operator.settings import Settings
from tuningsweep_operator.store import Store
from tuningsweep_operator.work_queue import WorkQueue

WORKER_IDLE_SECONDS = 0.01
"""Handlers return at once, so there is nothing to keep a task for."""

log = logging.getLogger(__name__)


class NoDiffs(kopf.DiffBaseStorage):
    """Keeps no last-handled state: there are no change handlers, and kopf would copy every object for it at every event."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        """Nothing of an object is compared."""
        return {}

    def fetch(self, **_: Any) -> None:
        """Nothing is stored."""

    def store(self, **_: Any) -> None:
        """Nothing to store."""


class NoProgress(kopf.ProgressStorage):
    """Keeps no progress of handlers: those of events have none."""

    def fetch(self, **_: Any) -> None:
        """Nothing is stored."""

    def store(self, **_: Any) -> None:
        """Nothing to store."""

    def purge(self, **_: Any) -> None:
        """Nothing to take out."""

    def touch(self, **_: Any) -> None:
        """Nothing to change."""

    def clear(self, *, essence: kopf.BodyEssence) -> kopf.BodyEssence:
        """As it is."""
        return essence


def make_registry(store: Store, queue: WorkQueue, reconciler: Reconciler) -> kopf.OperatorRegistry:
    """A registry of all handlers. They are coroutines: kopf calls plain functions in threads, and the queue is the loop's."""
    registry = kopf.OperatorRegistry()

    @kopf.on.startup(registry=registry)
    def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
        settings.posting.enabled = False  # kopf's own Events about its handlers help nobody here
        # kopf has a task for each object, which holds its place until nothing was seen of the object for a while: a limit
        # would let the first few busy sweeps keep all others out for good. What is bounded is the work queue.
        settings.queueing.worker_limit = None
        settings.queueing.idle_timeout = WORKER_IDLE_SECONDS
        settings.persistence.diffbase_storage = NoDiffs()
        settings.persistence.progress_storage = NoProgress()
        settings.watching.server_timeout = 300
        settings.watching.client_timeout = 330

    @kopf.on.login(registry=registry)
    def login(**arguments: Any) -> kopf.ConnectionInfo | None:
        # kopf's own default would import the whole synchronous client, tens of megabytes.
        return kopf.login_with_service_account(**arguments) or kopf.login_with_kubeconfig(**arguments)

    @kopf.on.event(names.GROUP, names.VERSION, names.PLURAL, registry=registry)
    async def sweep_event(event: Any, **_: Any) -> None:
        metrics.LAST_WATCH_EVENT.labels("tuningsweeps").set_to_current_time()
        sweep = event["object"]
        key = key_of(sweep)
        if event["type"] == "DELETED":
            store.drop_sweep(key)
        else:
            store.put_sweep(sweep)
        queue.add(key)

    @kopf.on.event("ray.io", "v1", "rayjobs", labels={names.LABEL_SWEEP: kopf.PRESENT}, registry=registry)
    async def ray_job_event(event: Any, **_: Any) -> None:
        metrics.LAST_WATCH_EVENT.labels("rayjobs").set_to_current_time()
        note_ray_job(store, reconciler, event["object"], deleted=event["type"] == "DELETED")
        queue.add(key_of(event["object"]))

    @kopf.on.event("", "v1", "pods", labels={names.LABEL_SWEEP: kopf.PRESENT}, registry=registry)
    async def pod_event(event: Any, **_: Any) -> None:
        metrics.LAST_WATCH_EVENT.labels("pods").set_to_current_time()
        key = store.put_pod(event["object"], deleted=event["type"] == "DELETED")
        if key is not None:
            queue.add(key)

    _watch_queues(registry, store, queue)
    return registry


def _watch_queues(registry: kopf.OperatorRegistry, store: Store, queue: WorkQueue) -> None:
    @kopf.on.event("kueue.x-k8s.io", "v1beta1", "workloads", registry=registry)
    def workload_event(event: Any, **_: Any) -> None:
        metrics.LAST_WATCH_EVENT.labels("workloads").set_to_current_time()
        key = store.put_workload(event["object"], deleted=event["type"] == "DELETED")
        if key is not None:
            queue.add(key)


async def watch(registry: kopf.OperatorRegistry, ours: Settings, stop: asyncio.Event) -> None:
    """Run kopf's watches until `stop` is set."""
    await kopf.operator(
        registry=registry,
        standalone=True,
        clusterwide=not ours.watch_namespaces,
        namespaces=ours.watch_namespaces,
        stop_flag=stop,
    )


def note_ray_job(store: Store, reconciler: Reconciler, ray_job: dict[str, Any], *, deleted: bool) -> None:
    """Take in a RayJob's event; a changed spec or a deletion is drift to be undone."""
    key: Key = key_of(ray_job)
    before = store.ray_jobs.get(key)
    if deleted:
        store.drop_ray_job(key)
    else:
        store.put_ray_job(ray_job)
    generation = ray_job["metadata"].get("generation")
    if deleted or (before is not None and before["metadata"].get("generation") != generation):
        reconciler.ray_job_changed(key)
