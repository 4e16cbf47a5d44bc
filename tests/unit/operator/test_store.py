"""The store: older copies never replace newer ones, pods are kept slim, deletion forgets."""

from datetime import UTC, datetime
from typing import Any

from tuningsweep_operator.feed import Feed
from tuningsweep_operator.store import Store, age_of_change
from tuningsweep_operator.watches import Watches

KEY = ("team", "a")


def object_of(version: str, uid: str = "u1", **more: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": "team", "name": "a", "uid": uid, "resourceVersion": version}, **more}


def test_an_old_event_does_not_undo_what_our_own_write_returned() -> None:
    store = Store()
    store.put_sweep(object_of("9", status={"phase": "Running"}))
    store.put_sweep(object_of("7", status={"phase": "Pending"}))
    assert store.sweeps[KEY]["status"]["phase"] == "Running"


def test_a_sweep_made_again_under_its_name_is_another() -> None:
    store = Store()
    store.put_sweep(object_of("90", uid="u1"))
    store.put_sweep(object_of("93", uid="u2"))
    store.put_sweep(object_of("91", uid="u1"))
    store.put_returned_sweep(object_of("94", uid="u1"))
    assert store.sweeps[KEY]["metadata"]["uid"] == "u2"


class Told:
    """Stands for the queue and the reconciler."""

    def __init__(self) -> None:
        self.due: list[Any] = []

    def add(self, key: Any) -> None:
        self.due.append(key)

    def ray_job_changed(self, key: Any) -> None:
        self.due.append(key)


def test_the_end_of_an_object_that_comes_late_is_not_that_of_the_next_of_its_name() -> None:
    store, told, watches = Store(), Told(), Watches()
    feed = Feed(store, told, told, watches)  # type: ignore[arg-type]
    for kind, known in ((feed.sweep, store.sweeps), (feed.ray_job, store.ray_jobs)):
        kind(object_of("1", uid="u1"), deleted=False)
        kind(object_of("6", uid="u2"), deleted=False)
        told.due.clear()
        kind(object_of("5", uid="u1"), deleted=True)
        assert (known[KEY]["metadata"]["uid"], told.due) == ("u2", [])
        kind(object_of("7", uid="u2"), deleted=True)
        assert KEY not in known
        assert told.due


def test_what_a_call_of_ours_returned_does_not_bring_a_deleted_sweep_back() -> None:
    store = Store()
    store.put_sweep(object_of("1"))
    store.drop_sweep(KEY)
    store.put_returned_sweep(object_of("2"))
    assert KEY not in store.sweeps
    assert store.sweeps_lag.longest(1e9) == 0.0


def test_a_ray_job_counts_for_the_sweep_that_owns_it() -> None:
    store = Store()
    job = object_of("7", uid="j1")
    job["metadata"]["ownerReferences"] = [{"uid": "u1"}]
    store.put_ray_job(job)
    assert store.ray_job(KEY, "u1") is not None
    assert store.ray_job(KEY, "u2") is None, "that of a sweep of the same name that was deleted"


def test_a_workload_counts_for_the_ray_job_that_owns_it() -> None:
    store = Store()
    conditions = [{"type": "QuotaReserved", "status": "False"}]
    owner = {"kind": "RayJob", "name": "a", "uid": "j1"}
    workload = {
        "metadata": {"namespace": "team", "name": "rayjob-a-12345", "ownerReferences": [owner]},
        "spec": {"podSets": []},
        "status": {"conditions": conditions},
    }
    assert store.put_workload(workload, deleted=False) == KEY
    assert store.workload(KEY) is None
    store.put_ray_job(object_of("7", uid="j1"))
    assert store.workload(KEY) == {"ray_job_uid": "j1", "status": {"conditions": conditions}}
    store.put_ray_job(object_of("9", uid="j2"))
    assert store.workload(KEY) is None, "a RayJob made again under its name has not been taken up yet"
    store.put_workload(workload, deleted=True)
    owner["kind"] = "Job"
    assert store.put_workload(workload, deleted=False) is None


def test_pods_are_found_by_their_label_and_keep_what_is_judged() -> None:
    store = Store()
    labels = {"tuningsweep.io/sweep": "a", "ray.io/cluster": "a-abcde", "x": "y"}
    pod = {
        "metadata": {"namespace": "team", "name": "p", "labels": labels},
        "spec": {"large": 1},
        "status": {"phase": "Running"},
    }
    assert store.put_pod(pod, deleted=False) == KEY
    kept = {"metadata": {"name": "p", "labels": {"ray.io/cluster": "a-abcde"}}, "status": {"phase": "Running"}}
    assert store.pods(KEY) == (kept,)
    store.put_pod(pod, deleted=True)
    assert store.pods(KEY) == ()


def test_deletion_forgets_everything() -> None:
    store = Store()
    store.put_sweep(object_of("1"))
    store.put_ray_job(object_of("1"))
    store.put_returned_sweep(object_of("2"))
    store.put_returned_ray_job(object_of("2"))
    store.drop_sweep(KEY)
    assert KEY not in store.sweeps
    assert KEY not in store.ray_jobs
    assert store.sweeps_lag.longest(1e9) == store.ray_jobs_lag.longest(1e9) == 0.0


def test_what_our_own_calls_return_is_awaited_from_the_watch() -> None:
    store = Store()
    store.put_sweep(object_of("5"))
    store.put_returned_sweep(object_of("6"))
    store.put_returned_ray_job(object_of("6"))
    assert store.sweeps_lag.longest(1e9) > 0
    assert store.ray_jobs_lag.longest(1e9) > 0
    store.put_sweep(object_of("6"))
    store.put_ray_job(object_of("7"))
    assert store.sweeps_lag.longest(1e9) == store.ray_jobs_lag.longest(1e9) == 0.0


def test_a_ray_job_seen_first_is_as_old_as_its_last_change_says() -> None:
    now = datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
    fields = [{"time": "2026-01-01T00:00:20Z"}, {"time": "2026-01-01T00:00:45Z"}]
    metadata = {"creationTimestamp": "2026-01-01T00:00:00Z", "managedFields": fields}
    assert age_of_change({"metadata": metadata}, now) == 15.0
    assert age_of_change({"metadata": {}}, now) == 0.0
    assert age_of_change({"metadata": {"creationTimestamp": "2026-01-01T00:02:00Z"}}, now) == 0.0, "clocks differ"


def test_what_a_call_of_ours_returned_is_no_news_when_the_watch_shows_it() -> None:
    store = Store()
    sweep = {"metadata": {"namespace": "team", "name": "a", "uid": "1", "resourceVersion": "7"}}
    store.put_sweep({"metadata": {**sweep["metadata"], "resourceVersion": "6"}})
    store.put_returned_sweep(sweep)
    assert not store.put_sweep(sweep)
    assert store.put_sweep({"metadata": {**sweep["metadata"], "resourceVersion": "8"}})


def test_a_ray_job_is_kept_without_its_pods() -> None:
    store = Store()
    metadata = {"namespace": "team", "name": "a", "uid": "1", "resourceVersion": "7"}
    status = {"jobDeploymentStatus": "Running"}
    store.put_ray_job({"metadata": metadata, "spec": {"suspend": True, "rayClusterSpec": {}}, "status": status})
    kept = store.ray_jobs["team", "a"]
    assert (kept["spec"], kept["status"]) == ({"suspend": True}, status)
