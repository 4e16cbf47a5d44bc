"""Takes in what the watches show: into the store, and the sweep's key becomes due. Called by the handlers and `missed.py`."""

from tuningsweep_operator import metrics
from tuningsweep_operator.reconcile import Reconciler
from tuningsweep_operator.resources import PODS, RAY_JOBS, SWEEPS, Manifest, key_of
from tuningsweep_operator.store import Store, is_another
from tuningsweep_operator.watches import Watches
from tuningsweep_operator.work_queue import WorkQueue


class Feed:
    """One method a kind; `deleted` means that the object is gone."""

    def __init__(self, store: Store, queue: WorkQueue, reconciler: Reconciler, watches: Watches) -> None:
        self._store, self._queue, self._reconciler, self._watches = store, queue, reconciler, watches

    def sweep(self, sweep: Manifest, *, deleted: bool) -> None:
        """A sweep. A write of ours is no news: its answer was here first."""
        key = key_of(sweep)
        if deleted and is_another(self._store.sweeps.get(key), sweep):
            return  # the next of its name is there already
        self._note(SWEEPS.plural, sweep, deleted=deleted)
        if deleted:
            self._store.drop_sweep(key)
        elif not self._store.put_sweep(sweep):
            return
        self._queue.add(key)

    def ray_job(self, ray_job: Manifest, *, deleted: bool) -> None:
        """A RayJob; a changed spec or a deletion is drift to be undone."""
        key = key_of(ray_job)
        before = self._store.ray_jobs.get(key)
        if deleted and is_another(before, ray_job):
            return
        self._note(RAY_JOBS.plural, ray_job, deleted=deleted)
        if deleted:
            self._store.drop_ray_job(key)
        elif not self._store.put_ray_job(ray_job):
            return
        generation = ray_job["metadata"].get("generation")
        if deleted or (before is not None and before["metadata"].get("generation") != generation):
            self._reconciler.ray_job_changed(key)
        self._queue.add(key)

    def pod(self, pod: Manifest, *, deleted: bool) -> None:
        """A pod of a sweep."""
        self._note(PODS.plural, pod, deleted=deleted)
        key = self._store.put_pod(pod, deleted=deleted)
        if key is not None:
            self._queue.add(key)

    def workload(self, workload: Manifest, *, deleted: bool) -> None:
        """What Kueue keeps of a RayJob; tied to that RayJob's uid, so one whose deletion was missed means nothing."""
        metrics.LAST_WATCH_EVENT.labels("workloads").set_to_current_time()
        key = self._store.put_workload(workload, deleted=deleted)
        if key is not None:
            self._queue.add(key)

    def _note(self, kind: str, manifest: Manifest, *, deleted: bool) -> None:
        metrics.LAST_WATCH_EVENT.labels(kind).set_to_current_time()
        note = self._watches.gone if deleted else self._watches.shown
        note(kind, key_of(manifest))
