"""What the watches last said: sweeps, RayJobs and pods, so that a reconcile need not ask the API server."""

import time
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from tuningsweep_api import names
from tuningsweep_operator.builders.common import is_owned_by
from tuningsweep_operator.lag import Lag
from tuningsweep_operator.resources import LABEL_CLUSTER, Key, Manifest, key_of


def version(manifest: Manifest) -> int:
    """The resource version as a number, to tell an older copy from a newer one."""
    text = manifest["metadata"].get("resourceVersion", "0")
    return int(text) if text.isdigit() else 0


def age_of_change(manifest: Manifest, now: datetime) -> float:
    """Seconds since an object was last changed by anyone, by its own account; 0 where it has none."""
    metadata = manifest["metadata"]
    times = [entry.get("time") for entry in metadata.get("managedFields", [])]
    known = [datetime.fromisoformat(text) for text in (metadata.get("creationTimestamp"), *times) if text]
    return max(0.0, (now - max(known)).total_seconds()) if known else 0.0


class Store:
    """Latest copies of the objects of every sweep."""

    def __init__(self) -> None:
        self.sweeps: dict[Key, Manifest] = {}
        self.ray_jobs: dict[Key, Manifest] = {}
        self._pods: dict[Key, dict[str, Manifest]] = defaultdict(dict)
        self._workloads: dict[Key, Manifest] = {}
        self.sweeps_lag = Lag()
        self.ray_jobs_lag = Lag()
        self.changed_at: dict[Key, float] = {}
        """When a sweep's RayJob last changed, time.monotonic(); also if that was before this process."""

    def put_sweep(self, sweep: Manifest) -> bool:
        """Take in a sweep from the watch unless a copy as new is there; whether it was news."""
        self.sweeps_lag.shown(key_of(sweep), version(sweep), time.monotonic())
        return _put(self.sweeps, key_of(sweep), sweep)

    def put_returned_sweep(self, sweep: Manifest) -> None:
        """Take in a sweep that a call of ours returned, unless its deletion was shown before the answer came."""
        key = key_of(sweep)
        if key in self.sweeps and not is_another(self.sweeps[key], sweep):
            _put(self.sweeps, key, sweep)
            self.sweeps_lag.returned(key, version(sweep), time.monotonic())

    def put_ray_job(self, ray_job: Manifest) -> bool:
        """Take in a RayJob from the watch unless a copy as new is there; whether it was news."""
        self.ray_jobs_lag.shown(key_of(ray_job), version(ray_job), time.monotonic())
        return self._put_ray_job(ray_job)

    def put_returned_ray_job(self, ray_job: Manifest) -> None:
        """Take in a RayJob that a call of ours returned."""
        self._put_ray_job(ray_job)
        self.ray_jobs_lag.returned(key_of(ray_job), version(ray_job), time.monotonic())

    def _put_ray_job(self, ray_job: Manifest) -> bool:
        key = key_of(ray_job)
        first = key not in self.ray_jobs
        news = _put(self.ray_jobs, key, _slim_ray_job(ray_job))
        if news:
            self.changed_at[key] = time.monotonic() - (age_of_change(ray_job, datetime.now(UTC)) if first else 0.0)
        return news

    def drop_sweep(self, key: Key) -> None:
        """Forget a deleted sweep and all that was known of it."""
        for known in (self.sweeps, self._pods, self._workloads):
            known.pop(key, None)
        self.sweeps_lag.forget(key)
        self.drop_ray_job(key)

    def drop_ray_job(self, key: Key) -> None:
        """Forget a deleted RayJob."""
        self.ray_jobs.pop(key, None)
        self.changed_at.pop(key, None)
        self.ray_jobs_lag.forget(key)

    def ray_job(self, key: Key, uid: str) -> Manifest | None:
        """The RayJob of the sweep of that uid: one of the same name may still be there from a sweep that was deleted."""
        found = self.ray_jobs.get(key)
        return found if found is not None and is_owned_by(found, uid) else None

    def put_pod(self, pod: Manifest, *, deleted: bool) -> Key | None:
        """Take in a pod; the key of its sweep."""
        sweep = pod["metadata"].get("labels", {}).get(names.LABEL_SWEEP)
        if sweep is None:
            return None
        key = (pod["metadata"]["namespace"], sweep)
        if deleted:
            self._pods[key].pop(pod["metadata"]["name"], None)
        else:
            self._pods[key][pod["metadata"]["name"]] = _slim(pod)
        return key

    def find_pod(self, name: tuple[str, str]) -> Manifest | None:
        """A pod by namespace and name, with the label that says whose it is."""
        for (namespace, sweep), pods in self._pods.items():
            if namespace == name[0] and name[1] in pods:
                labels = {names.LABEL_SWEEP: sweep}
                return {"metadata": {"namespace": namespace, "name": name[1], "labels": labels}}
        return None

    def pods(self, key: Key) -> tuple[Manifest, ...]:
        """Pods of a sweep."""
        return tuple(self._pods[key].values()) if key in self._pods else ()

    def since_change(self, key: Key) -> float:
        """Seconds since a sweep's RayJob last changed; 0 if there is none."""
        now = time.monotonic()
        return now - self.changed_at.get(key, now)

    def put_workload(self, workload: Manifest, *, deleted: bool) -> Key | None:
        """Take in what Kueue keeps of a RayJob; the key of its sweep, None if it is not of a RayJob."""
        owners = workload["metadata"].get("ownerReferences", [])
        owner = next((owner for owner in owners if owner["kind"] == "RayJob"), None)
        if owner is None:
            return None
        key = (workload["metadata"]["namespace"], owner["name"])
        if deleted:
            self._workloads.pop(key, None)
        else:
            conditions = workload.get("status", {}).get("conditions", [])
            self._workloads[key] = {"ray_job_uid": owner["uid"], "status": {"conditions": conditions}}
        return key

    def workload(self, key: Key) -> Manifest | None:
        """What Kueue keeps of a sweep's RayJob, if it is of the one that is there now."""
        workload, ray_job = self._workloads.get(key), self.ray_jobs.get(key)
        same = workload is not None and ray_job is not None and workload["ray_job_uid"] == ray_job["metadata"]["uid"]
        return workload if same else None


def is_another(known: Manifest | None, manifest: Manifest) -> bool:
    """Whether the object known by that name is not this one, but one made before or after it."""
    return known is not None and known["metadata"].get("uid") != manifest["metadata"].get("uid")


def _put(known: dict[Key, Manifest], key: Key, manifest: Manifest) -> bool:
    """Store a copy unless it is older than what is there, also than another object's; whether it was stored.

    kopf orders what it shows by object: the end of one may come after the beginning of the next of the same name.
    """
    before = known.get(key)
    if before is not None and version(before) >= version(manifest):
        return False
    known[key] = {**manifest, "metadata": {**manifest["metadata"], "managedFields": []}}
    return True


def _slim_ray_job(ray_job: Manifest) -> Manifest:
    """A RayJob without the pods of its spec, which are most of it: whoever applies it asks the API server for them."""
    spec = ray_job.get("spec", {})
    return {**ray_job, "spec": {"suspend": spec["suspend"]} if "suspend" in spec else {}}


def _slim(pod: Manifest) -> dict[str, Any]:
    """The part of a pod that is judged; whole pods of large clusters would fill the operator's memory."""
    status = pod.get("status", {})
    kept = ("phase", "conditions", "containerStatuses", "initContainerStatuses")
    labels = {name: value for name, value in pod["metadata"].get("labels", {}).items() if name == LABEL_CLUSTER}
    return {
        "metadata": {"name": pod["metadata"]["name"], "labels": labels},
        "status": {field: status[field] for field in kept if field in status},
    }
