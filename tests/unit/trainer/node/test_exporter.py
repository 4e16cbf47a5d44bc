"""The metrics of a node: which series there are, when they go, and how many a large sweep has."""

from prometheus_client import generate_latest

from support.synthetic import ended, status, summary, trainer_registry
from tuningsweep_api.outcomes import LIMIT_REASONS, Outcome, Reason
from tuningsweep_trainer.node.runtime import TrialStatus
from tuningsweep_trainer.node.step_times import StepTimes
from tuningsweep_trainer.node.summary import SweepSummary

SWEEP = 'namespace="team-a",sweep="digits"'
SERIES_LIMIT = 2000


def series(
    statuses: list[TrialStatus], sweep_summary: SweepSummary | None, times: StepTimes | None = None
) -> dict[str, float]:
    """Every series the exporter serves, with its value."""
    printed = generate_latest(trainer_registry(statuses, sweep_summary, lambda: times or StepTimes())).decode()
    lines = (line for line in printed.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_a_running_trial_has_its_measures_and_its_limits() -> None:
    found = series([status(0, memory=5, memory_limit=9, cpu_percent=150.0, objective=0.25)], None)
    expected = {
        "memory_bytes": 5,
        "memory_limit_bytes": 9,
        "mean_step_time_seconds": 0.02,
        "mean_step_time_limit_seconds": 0.05,
        "step_in_flight_seconds": 0.01,
        "longest_step_time_seconds": 0.3,
        "step_time_limit_seconds": 2.0,
        "duration_seconds": 60.0,
        "duration_limit_seconds": 600.0,
        "steps_total": 100,
        "cpu_ratio": 1.5,
        "objective": 0.25,
    }
    trial = {name.partition("{")[0]: value for name, value in found.items() if "trial-0000" in name}
    assert trial == {f"tuningsweep_trial_{name}": value for name, value in expected.items()}


def test_what_is_not_limited_or_not_known_has_no_series() -> None:
    unlimited = {f"{name}_limit": None for name in ("memory", "mean_step_time", "step_time", "duration")}
    found = series([status(0, mean_step_time=None, objective=None, **unlimited)], None)
    names = {name.partition("{")[0] for name in found}
    assert not [name for name in names if "limit" in name or "objective" in name or "mean" in name]


def test_a_held_trial_has_no_measures_and_is_counted() -> None:
    found = series([TrialStatus(trial="trial-0000", process="", supervisor_pid=1, held="why")], SweepSummary(held=1))
    assert not [name for name in found if "trial-0000" in name]
    assert found[f"tuningsweep_trials_held{{{SWEEP}}}"] == 1


def test_the_series_of_an_ended_trial_are_gone() -> None:
    statuses = [status(0), status(1)]
    registry = trainer_registry(statuses, summary())
    assert "trial-0001" in generate_latest(registry).decode()
    del statuses[1]
    printed = generate_latest(registry).decode()
    assert "trial-0001" not in printed
    assert "trial-0000" in printed


def test_the_sweep_in_numbers() -> None:
    found = series([], SweepSummary(ended=ended(2), pending=4, running=8, warnings=2, best_objective=0.125))
    assert found[f"tuningsweep_trials_pending{{{SWEEP}}}"] == 4
    assert found[f"tuningsweep_trials_running{{{SWEEP}}}"] == 8
    assert found[f"tuningsweep_limit_warnings_total{{{SWEEP}}}"] == 2
    assert found[f"tuningsweep_best_objective{{{SWEEP}}}"] == 0.125
    assert found['tuningsweep_trials{namespace="team-a",outcome="LimitExceeded",sweep="digits"}'] == 2 * len(
        LIMIT_REASONS
    )
    reason = 'namespace="team-a",outcome="LimitExceeded",reason="MemoryLimitExceeded",sweep="digits"'
    assert found[f"tuningsweep_trials_by_reason{{{reason}}}"] == 2
    labels = 'namespace="team-a",outcome="Succeeded",sweep="digits"'
    assert found[f"tuningsweep_trial_cpu_seconds_total{{{labels}}}"] == 120


def test_every_outcome_is_there_from_the_start_and_a_best_trial_only_once_there_is_one() -> None:
    found = series([], SweepSummary())
    for outcome in Outcome:
        assert found[f'tuningsweep_trials{{namespace="team-a",outcome="{outcome}",sweep="digits"}}'] == 0
    assert not [name for name in found if "best_objective" in name or "by_reason" in name]


def test_only_the_drivers_node_speaks_for_the_sweep() -> None:
    names = {name.partition("{")[0] for name in series([status(0)], None)}
    assert all(name.startswith(("tuningsweep_trial_", "tuningsweep_step_duration_seconds")) for name in names)
    assert "tuningsweep_trial_cpu_seconds_total" not in names


def test_step_times_are_a_histogram() -> None:
    found = series([], None, StepTimes(counts=[0, 0, 5, *[0] * 13, 1], seconds=80.0))
    name = "tuningsweep_step_duration_seconds"
    assert found[f'{name}_bucket{{le="0.001",{SWEEP}}}'] == 0
    assert found[f'{name}_bucket{{le="0.0025",{SWEEP}}}'] == 5
    assert found[f'{name}_bucket{{le="+Inf",{SWEEP}}}'] == found[f"{name}_count{{{SWEEP}}}"] == 6
    assert found[f"{name}_sum{{{SWEEP}}}"] == 80.0


def test_a_sweep_of_ten_thousand_trials_has_few_series() -> None:
    """A hundred of them run at a time, on ten nodes."""
    per_reason = 10_000 // len(Reason)
    nodes = [
        series([status(node * 10 + i) for i in range(10)], None if node else summary(per_reason)) for node in range(10)
    ]
    assert sum(len(node) for node in nodes) < SERIES_LIMIT
