"""What the benchmark of running sweeps makes of the statuses it sees, and that each sweep's driver is found in its place."""

from typing import Any

from benchmarks.operator_scale.drivers import End
from benchmarks.operator_scale.objects import driver_host, edit_limit, head_service, run_job, sweep_manifest
from benchmarks.operator_scale.sightings import Sightings
from tuningsweep_api.spec.sweep import TuningSweep


def shown(ended: int, reason: str = "TrialsRunning", name: str = "a") -> dict[str, Any]:
    """A sweep with so many ended trials in its status."""
    trials = {"total": ended + 3, "running": 2, "pending": 1, "succeeded": ended}
    conditions = [{"type": "Reconciling", "status": "False", "reason": reason, "lastTransitionTime": "t"}]
    return {"metadata": {"name": name}, "status": {"trials": trials, "conditions": conditions}}


def seen(*sightings: tuple[dict[str, Any], float]) -> Sightings:
    result = Sightings()
    for manifest, at in sightings:
        result.see(manifest, at)
    return result


def test_a_trial_is_counted_by_the_first_status_that_has_as_many_or_more() -> None:
    statuses = seen((shown(0), 0.0), (shown(1), 12.0), (shown(1), 13.0), (shown(3), 20.0), (shown(5, name="b"), 21.0))
    assert statuses.lag(End("a", 1, 11.5)) == 0.5
    assert statuses.lag(End("a", 2, 13.0)) == 7.0
    assert statuses.lag(End("a", 3, 19.0)) == 1.0
    assert statuses.lag(End("a", 4, 20.0)) is None
    assert statuses.missing([End("a", 3, 0.0), End("a", 4, 0.0), End("c", 1, 0.0)]) == 2


def test_writes_are_counted_in_the_fullest_window_of_one_sweep() -> None:
    statuses = seen((shown(0), 0.0), (shown(1), 10.0), (shown(2), 14.0), (shown(3), 16.0), (shown(4), 26.0))
    assert statuses.writes == 4
    assert statuses.most_writes(3.0) == 2
    assert statuses.most_writes(5.0) == 2
    assert statuses.most_writes(7.0) == 3
    apart = seen(
        (shown(0), 0.0), (shown(1), 10.0), (shown(2), 14.9), (shown(0, name="b"), 0.0), (shown(1, name="b"), 11)
    )
    assert apart.most_writes(5.0) == 1, "what took a little longer to be seen is not held against the operator"


def test_a_write_that_changes_a_condition_or_nothing_is_not_held_against_the_operator() -> None:
    statuses = seen((shown(0), 0.0), (shown(1), 1.0), (shown(2, "DriverUnreachable"), 2.0), (shown(2), 3.0))
    assert statuses.writes == 3
    assert statuses.most_writes(5.0) == 1
    assert seen((shown(0), 0.0), (shown(0), 1.0)).writes == 0
    assert Sightings().most_writes(5.0) == 0


def test_every_driver_has_an_address_of_its_own_at_the_service_that_its_job_names() -> None:
    assert len({driver_host(number) for number in range(10_000)}) == 10_000
    ((_, path, body),) = run_job(7)
    assert path.endswith("/rayjobs/bench-00007/status")
    assert body["status"]["rayClusterStatus"]["head"]["serviceName"] == head_service(7)


def test_an_edit_of_the_benchmark_is_a_valid_one() -> None:
    manifest = sweep_manifest(7)
    manifest["spec"]["limits"] |= edit_limit(7, "1003s")[2]["spec"]["limits"]
    assert str(TuningSweep.from_manifest(manifest).spec.limits.trial_duration) == "1003s"
