"""The best trial and the Pareto front of records, in whatever order trials end."""

from hypothesis import given
from hypothesis import strategies as st

from tuningsweep_api.optimal import objectives_of, optimal_trial, pareto_front
from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_api.pareto import front
from tuningsweep_api.spec.objective import Objective
from tuningsweep_api.trials import TrialRecord

ONE = Objective.model_validate({"type": "maximize", "objectiveMetricName": "accuracy"})
TWO = Objective.model_validate(
    {
        "type": "maximize",
        "objectiveMetricName": "accuracy",
        "additionalMetricNames": ["loss"],
        "additionalObjectives": [{"type": "minimize", "objectiveMetricName": "peak_memory_bytes"}],
    }
)


def record(
    trial: str, accuracy: float | None, memory: float | None, outcome: Outcome = Outcome.SUCCEEDED
) -> TrialRecord:
    metrics = {"accuracy": accuracy, "peak_memory_bytes": memory, "loss": 0.5}
    return TrialRecord(
        trial=trial,
        parameters={},
        outcome=outcome,
        reason=Reason.COMPLETED,
        metrics={name: value for name, value in metrics.items() if value is not None},
        completion_time="2026-01-01T00:00:00Z",
    )


def names(objective: Objective, records: list[TrialRecord]) -> list[str]:
    return [trial.trial for trial in pareto_front(objective, records)]


def test_the_front_has_the_best_of_the_first_objective_first() -> None:
    records = [record("small", 0.8, 10), record("beaten", 0.7, 20), record("good", 0.9, 30)]
    assert names(TWO, records) == ["good", "small"]


def test_of_trials_equal_in_the_first_objective_the_best_is_the_one_on_the_front() -> None:
    records = [record("large", 0.9, 30), record("small", 0.9, 10), record("late", 0.9, 10)]
    best = optimal_trial(TWO, records)
    assert best is not None and best.trial == "small"
    assert names(ONE, records) == ["large"]


def test_trials_over_a_limit_and_those_that_miss_an_objective_do_not_count() -> None:
    over, silent = record("over", 0.99, 1, Outcome.LIMIT_EXCEEDED), record("silent", 0.98, None)
    assert names(TWO, [over, silent, record("kept", 0.5, 50)]) == ["kept"]
    assert names(ONE, [over, silent]) == ["silent"]


def test_what_is_shown_of_a_trial() -> None:
    (trial,) = pareto_front(TWO, [record("kept", 0.5, 50)])
    assert (trial.objective, trial.metrics) == (0.5, {"peak_memory_bytes": 50, "loss": 0.5})
    assert objectives_of(TWO, trial) == {"accuracy": 0.5, "peak_memory_bytes": 50}


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=20))
def test_trial_by_trial_comes_to_the_same_as_all_at_once(values: list[tuple[int, int]]) -> None:
    records = [
        record(f"trial-{place}", float(accuracy), float(memory)) for place, (accuracy, memory) in enumerate(values)
    ]
    expected = [f"trial-{place}" for place in front([(-accuracy, memory) for accuracy, memory in values])]
    assert names(TWO, records) == expected
