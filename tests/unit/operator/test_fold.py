"""The status fold: what was observed decides conditions, counts and phase; time is an argument."""

from datetime import timedelta

import pytest

from tuningsweep_api.messages import SweepState
from tuningsweep_api.outcomes import ConditionType, Phase
from tuningsweep_api.status import TuningSweepStatus
from tuningsweep_operator.memory import Memory
from tuningsweep_operator.status.conditions import timestamp
from tuningsweep_operator.status.fold import deadline, fold, is_finished
from tuningsweep_operator.status.observation import Observation, Trouble
from tuningsweep_operator.status.trouble import find_trouble, refusal_of_pods
from unit.operator.observations import NOW, SETTINGS, pod, ray_job, state, stop, sweep

NEW = TuningSweepStatus()
RUNNING = Observation(ray_job=ray_job("Running"), state=state())


def words(status: TuningSweepStatus) -> dict[str, tuple[str, str]]:
    return {condition.type.value: (condition.status, condition.reason.value) for condition in status.conditions}


def test_a_new_sweep_is_pending_and_reconciling_from_now_on() -> None:
    status = fold(sweep(), NEW, Observation(), SETTINGS, NOW)
    assert status.phase is Phase.PENDING
    assert words(status) == {"Reconciling": ("True", "CreatingCluster")}
    assert status.start_time == timestamp(NOW)
    assert status.observed_generation == 2


def test_running_trials_end_reconciling_so_that_gitops_does_not_wait_for_hours() -> None:
    status = fold(sweep(), NEW, RUNNING, SETTINGS, NOW)
    assert status.phase is Phase.RUNNING
    assert words(status) == {"Reconciling": ("False", "TrialsRunning")}
    assert status.trials.running == 2


@pytest.mark.parametrize(("silence", "reconciling"), [(0.6, "False"), (31.0, "True")])
def test_one_late_answer_of_a_driver_whose_trials_run_is_no_news(silence: float, reconciling: str) -> None:
    running = fold(sweep(), NEW, RUNNING, SETTINGS, NOW)
    late = Observation(ray_job=ray_job("Running"), driver_error="no answer", driver_silence=silence)
    assert words(fold(sweep(), running, late, SETTINGS, NOW))["Reconciling"][0] == reconciling


def test_nor_is_it_where_no_trial_counts_as_running_just_then() -> None:
    between = Observation(ray_job=ray_job("Running"), state=state(trials={"total": 4, "pending": 2, "succeeded": 2}))
    before = fold(sweep(), NEW, between, SETTINGS, NOW)
    late = Observation(ray_job=ray_job("Running"), driver_error="no answer", driver_silence=0.6)
    assert fold(sweep(), before, late, SETTINGS, NOW).phase is before.phase is Phase.RUNNING


def test_a_driver_without_trials_yet_is_waited_for() -> None:
    seen = Observation(ray_job=ray_job("Running"), state=state(trials={"total": 0}))
    assert words(fold(sweep(), NEW, seen, SETTINGS, NOW))["Reconciling"] == ("True", "WaitingForDriver")


@pytest.mark.parametrize(
    ("result", "kind", "reason"),
    [
        ({"succeeded": True, "reason": "SearchFinished", "message": "done"}, "Complete", "SearchFinished"),
        ({"succeeded": False, "reason": "DatasetUnavailable", "message": "no"}, "Failed", "DatasetUnavailable"),
    ],
)
def test_the_drivers_result_ends_the_sweep(result: dict[str, object], kind: str, reason: str) -> None:
    seen = Observation(ray_job=ray_job("Running"), state=state(result=result))
    status = fold(sweep(), NEW, seen, SETTINGS, NOW)
    assert words(status)[kind] == ("True", reason)
    assert status.phase.value == kind
    assert status.completion_time == timestamp(NOW)
    assert is_finished(status)


def test_best_trial_and_stops_are_text_in_units_that_people_read() -> None:
    best = {
        "trial": "trial-0001",
        "parameters": {"batch_size": 30},
        "objective": 0.123456789,
        "metrics": {"accuracy": 0.9},
    }
    stops = [stop(1, "trial-0000"), stop(2, "trial-0002", "StepTimeLimitExceeded", observed=2.51, limit=2.0)]
    seen = Observation(ray_job=ray_job("Running"), state=state(optimalTrial=best, recentStops=stops, stopCount=2))
    status = fold(sweep(), NEW, seen, SETTINGS, NOW)
    assert status.current_optimal_trial is not None
    assert status.current_optimal_trial.objective == "0.123457"
    assert [(s.trial, s.observed, s.limit) for s in status.last_stops] == [
        ("trial-0002", "2.5s", "2.0s"),
        ("trial-0000", "412Mi", "400Mi"),
    ]
    assert status.stop_count == 2


def test_the_front_of_several_objectives_is_in_the_status_with_every_objective() -> None:
    beside = [{"type": "minimize", "objectiveMetricName": "peak_memory_bytes"}]
    wanted = sweep(**{"spec.objective.additionalObjectives": beside})
    metrics = {"peak_memory_bytes": 123456789.0, "accuracy": 0.9}
    front = [{"trial": "trial-0001", "parameters": {}, "objective": 0.123456789, "metrics": metrics}]
    seen = Observation(ray_job=ray_job("Running"), state=state(paretoFront=front, paretoFrontSize=1))
    status = fold(wanted, NEW, seen, SETTINGS, NOW)
    (trial,) = status.pareto_front
    assert trial.objectives == {"validation_loss": "0.123457", "peak_memory_bytes": "123456789"}
    assert status.pareto_front_size == 1
    assert fold(sweep(), NEW, Observation(state=state()), SETTINGS, NOW).pareto_front_size is None


def test_only_the_last_ten_stops_are_kept_whatever_the_driver_sends() -> None:
    stops = [stop(number, f"trial-{number:04d}") for number in range(1, 51)]
    seen = Observation(ray_job=ray_job("Running"), state=state(recentStops=stops, stopCount=50))
    status = fold(sweep(), NEW, seen, SETTINGS, NOW)
    assert len(status.last_stops) == 10
    assert status.last_stops[0].trial == "trial-0050"


def test_a_silent_driver_keeps_the_last_counts() -> None:
    before = fold(sweep(), NEW, RUNNING, SETTINGS, NOW)
    after = fold(sweep(), before, Observation(ray_job=ray_job("Running"), driver_error="gone"), SETTINGS, NOW)
    assert after.trials == before.trials


def test_trials_of_a_cluster_that_is_gone_wait_to_be_resumed() -> None:
    before = fold(sweep(), NEW, RUNNING, SETTINGS, NOW)
    after = fold(sweep(), before, Observation(ray_job=ray_job("Initializing")), SETTINGS, NOW)
    assert (after.trials.running, after.trials.pending) == (0, 3)


def test_suspend_and_resume() -> None:
    started = fold(sweep(), NEW, RUNNING, SETTINGS, NOW)
    seen = Observation(ray_job=ray_job("Suspended"))
    suspended = fold(sweep(spec__suspend=True), started, seen, SETTINGS, NOW)
    assert suspended.phase is Phase.SUSPENDED
    later = NOW + timedelta(hours=1)
    resumed = fold(sweep(), suspended, Observation(ray_job=ray_job("Initializing")), SETTINGS, later)
    assert words(resumed)["Suspended"] == ("False", "Resumed")
    assert resumed.start_time == timestamp(later), "as on a Job, the deadline counts from the resumption"


def test_time_spent_suspended_does_not_count_towards_the_deadline() -> None:
    limited = {"spec__activeDeadlineSeconds": 60}
    started = fold(sweep(**limited), NEW, RUNNING, SETTINGS, NOW)
    suspended = fold(sweep(spec__suspend=True, **limited), started, Observation(), SETTINGS, NOW)
    later = NOW + timedelta(hours=1)
    resumed = fold(sweep(**limited), suspended, Observation(ray_job=ray_job("Suspended")), SETTINGS, later)
    assert not is_finished(resumed)
    assert deadline(sweep(**limited), suspended) is None
    assert deadline(sweep(**limited), resumed) == later + timedelta(seconds=60)


def test_transition_time_changes_with_the_status_alone() -> None:
    first = fold(sweep(), NEW, RUNNING, SETTINGS, NOW)
    second = fold(sweep(), first, RUNNING, SETTINGS, NOW + timedelta(minutes=5))
    assert second.conditions == first.conditions


def test_deadline_takes_a_cluster_away_whose_driver_does_not_end() -> None:
    limited = sweep(spec__activeDeadlineSeconds=60)
    started = fold(limited, NEW, RUNNING, SETTINGS, NOW)
    later = NOW + timedelta(hours=2)
    for seconds, ended in ((None, False), (0, False), (30, False), (31, True)):
        overdue = None if seconds is None else timedelta(seconds=seconds)
        seen = Observation(ray_job=ray_job("Running"), state=state(), overdue=overdue)
        late = fold(limited, started, seen, SETTINGS, later)
        assert is_finished(late) is ended, seconds
    assert words(late)["Failed"] == ("True", "DeadlineExceeded")


def test_a_deadline_is_over_since_it_was_seen_to_be() -> None:
    memory, seconds = Memory("u1"), [NOW + timedelta(seconds=second) for second in range(100)]
    assert memory.since_deadline(None, NOW) is None
    assert memory.since_deadline(seconds[10], seconds[10]) is None
    assert memory.since_deadline(NOW - timedelta(hours=1), seconds[20]) == timedelta(0), (
        "edited, or the operator was away"
    )
    assert memory.since_deadline(seconds[10], seconds[25]) == timedelta(seconds=5)
    assert memory.since_deadline(seconds[90], seconds[30]) is None, "put off"
    assert memory.since_deadline(seconds[40], seconds[50]) == timedelta(0)


@pytest.mark.parametrize(
    ("job", "heard", "kind", "reason"),
    [
        (ray_job("Failed", failed=4), True, "Failed", "BackoffLimitExceeded"),
        (ray_job("Complete", jobStatus="SUCCEEDED"), True, "Complete", "SearchFinished"),
        (ray_job("Complete", jobStatus="SUCCEEDED"), False, "Complete", "SearchFinished"),
        (ray_job("Complete", jobStatus="STOPPED"), True, "Failed", "DriverFailed"),
        (ray_job("ValidationFailed"), False, "Failed", "InvalidSpec"),
    ],
)
def test_a_job_that_ended_unheard(job: dict[str, object], heard: bool, kind: str, reason: str) -> None:
    before = fold(sweep(), NEW, RUNNING, SETTINGS, NOW) if heard else NEW
    status = fold(sweep(), before, Observation(ray_job=job), SETTINGS, NOW)
    assert words(status)[kind] == ("True", reason)


@pytest.mark.parametrize("told", [state(), None])
def test_of_a_sweep_that_ended_without_its_driver_no_trial_runs_any_more(told: SweepState | None) -> None:
    before = fold(sweep(), NEW, RUNNING, SETTINGS, NOW)
    late = Observation(ray_job=ray_job("Running"), state=told, overdue=timedelta(seconds=31))
    status = fold(sweep(spec__activeDeadlineSeconds=60), before, late, SETTINGS, NOW)
    assert words(status)["Failed"] == ("True", "DeadlineExceeded")
    counts = status.trials
    assert (counts.total, counts.running, counts.pending, counts.succeeded) == (4, 0, 3, 1)


def waiting(reason: str) -> dict[str, object]:
    container = {
        "name": "ray-head",
        "image": "trainer:1",
        "state": {"waiting": {"reason": reason, "message": "no such"}},
    }
    return pod(containerStatuses=[container])


def restarted(times: int) -> dict[str, object]:
    container = {"name": "ray-head", "restartCount": times, "lastState": {"terminated": {"reason": "OOMKilled"}}}
    return pod(containerStatuses=[container])


def test_the_pods_of_an_earlier_cluster_are_no_sign_of_this_one() -> None:
    before = restarted(9)
    before["metadata"]["labels"] = {"ray.io/cluster": "digits-svm-earlier"}  # type: ignore[index]
    for job in (ray_job("Running"), ray_job("Initializing", rayClusterName="")):
        status = fold(sweep(), NEW, Observation(ray_job=job, pods=(before,)), SETTINGS, NOW)
        assert (is_finished(status), status.driver_restarts) == (False, 0)


UNSCHEDULABLE = pod(
    conditions=[{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1"}]
)
REPLICA_FAILURE = {"type": "ReplicaFailure", "status": "True", "message": "pods is forbidden: exceeded quota: none"}


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (Observation(ray_job=ray_job("Running"), state=state()), None),
        (Observation(ray_job={"metadata": {}}, job_silence=16), "KubeRayNotResponding"),
        (Observation(ray_job={"metadata": {}}, job_silence=5), None),
        (Observation(ray_job=ray_job("Initializing"), pods=(waiting("ImagePullBackOff"),)), "ImageUnavailable"),
        (Observation(ray_job=ray_job("Initializing"), pods=(waiting("ErrImageNeverPull"),)), "ImageUnavailable"),
        (Observation(ray_job=ray_job("Initializing"), pods=(waiting("ContainerCreating"),)), None),
        (Observation(ray_job=ray_job("Initializing"), pods=(waiting("CrashLoopBackOff"),)), "DriverCrashing"),
        (Observation(ray_job=ray_job("Initializing"), pods=(waiting("CreateContainerConfigError"),)), "PodRefused"),
        (Observation(ray_job=ray_job("Running"), pods=(restarted(1),)), "DriverCrashing"),
        (Observation(ray_job=ray_job("Running"), pods=(restarted(1),), state=state()), None),
        (Observation(ray_job=ray_job("Initializing"), pods=(UNSCHEDULABLE,)), "Unschedulable"),
        (Observation(ray_cluster={"status": {"conditions": [REPLICA_FAILURE]}}), "QuotaExceeded"),
        (Observation(ray_job=ray_job("Retrying", failed=1)), "DriverCrashing"),
        (Observation(ray_job=ray_job("Initializing"), pods=(pod(),), start_silence=599), None),
        (Observation(ray_job=ray_job("Initializing"), pods=(pod(),), start_silence=601), "PodsNotReady"),
        (Observation(ray_job=ray_job("Initializing"), pods=(UNSCHEDULABLE,), start_silence=601), "Unschedulable"),
        (Observation(ray_job=ray_job("Running"), driver_error="x", driver_silence=31), "DriverUnreachable"),
        (Observation(ray_job=ray_job("Running"), driver_error="x", driver_silence=5), None),
    ],
)
def test_what_is_in_the_way(seen: Observation, reason: str | None) -> None:
    trouble = find_trouble(seen, SETTINGS)
    assert (None if trouble is None else trouble.reason.value) == reason


def test_trouble_shows_as_stalled_and_goes_when_it_is_mended() -> None:
    refusal = Trouble(refusal_of_pods("exceeded quota").reason, "raise it")
    stalled = fold(sweep(), NEW, Observation(refusal=refusal), SETTINGS, NOW)
    assert words(stalled)["Stalled"] == ("True", "QuotaExceeded")
    mended = fold(sweep(), stalled, RUNNING, SETTINGS, NOW)
    assert ConditionType.STALLED not in {condition.type for condition in mended.conditions}


def test_pod_security_is_told_from_quota() -> None:
    assert refusal_of_pods("pods is forbidden: violates PodSecurity").reason.value == "PodRefused"


def test_silent_kuberay_shows_while_suspended_too() -> None:
    seen = Observation(ray_job=ray_job("Running"), job_silence=16)
    assert words(fold(sweep(spec__suspend=True), NEW, seen, SETTINGS, NOW))["Stalled"][1] == "KubeRayNotResponding"


@pytest.mark.parametrize(("restarts", "failed", "ended"), [(2, 0, False), (3, 0, True), (2, 1, True), (0, 3, False)])
def test_a_drivers_container_is_not_started_for_ever(restarts: int, failed: int, ended: bool) -> None:
    seen = Observation(ray_job=ray_job("Running", failed=failed), pods=(restarted(restarts),), state=state())
    status = fold(sweep(spec__backoffLimit=2), NEW, seen, SETTINGS, NOW)
    assert is_finished(status) is ended
    assert status.driver_restarts == restarts + failed
    if ended:
        assert words(status)["Failed"] == ("True", "BackoffLimitExceeded")
        assert "OOMKilled" in status.conditions[0].message
