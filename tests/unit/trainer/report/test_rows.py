"""Rows of trials: what each says, the best, the front, and how long an open bar is."""

from datetime import timedelta

from support.example_results import example_sweep
from support.results import START, at, record, trace
from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_trainer.report.gather import Results
from tuningsweep_trainer.report.rows import RUNNING, best_row, best_so_far, pareto_rows, trial_rows
from tuningsweep_trainer.results.ledger import Unfinished

OBJECTIVE = example_sweep().spec.objective
OVER = {"outcome": Outcome.LIMIT_EXCEEDED, "reason": Reason.MEMORY_LIMIT_EXCEEDED}


def results(*records, after: float = 60.0, **fields) -> Results:
    return Results("here", example_sweep(), START + timedelta(seconds=after), records=list(records), **fields)


def loss(index: int, value: float, **changes):
    return record(index, metrics={"validation_loss": value}, **changes)


def test_no_trials_give_no_rows() -> None:
    assert trial_rows(results()) == []
    assert best_row([], OBJECTIVE) is None
    assert pareto_rows([], OBJECTIVE) == []


def test_the_best_counts_trials_within_the_limits_only() -> None:
    rows = trial_rows(results(loss(0, 0.5), loss(1, 0.1, **OVER), loss(2, 0.6), loss(3, 0.4), loss(4, 0.4)))
    assert best_so_far(rows, OBJECTIVE) == [(1, 0.5), (4, 0.4)]
    best = best_row(rows, OBJECTIVE)
    assert best is not None
    assert best.trial == "trial-0003"


def test_the_best_of_a_metric_to_maximize_is_the_highest() -> None:
    maximize = example_sweep(spec__objective__type="maximize").spec.objective
    assert best_so_far(trial_rows(results(loss(0, 0.5), loss(1, 0.7), loss(2, 0.6))), maximize) == [(1, 0.5), (2, 0.7)]


def test_the_front_leaves_out_trials_over_a_limit_and_without_an_objective() -> None:
    rows = trial_rows(
        results(
            loss(0, 0.5, peak_memory=100),
            loss(1, 0.1, peak_memory=50, **OVER),
            loss(2, 0.4, peak_memory=200),
            loss(3, 0.45, peak_memory=300),
            record(4, metrics={}, peak_memory=10),
        )
    )
    assert [row.trial for row in pareto_rows(rows, OBJECTIVE)] == ["trial-0000", "trial-0002"]


def test_all_stopped_have_no_best() -> None:
    rows = trial_rows(results(loss(0, 0.5, **OVER), loss(1, 0.4, **OVER)))
    assert best_row(rows, OBJECTIVE) is None
    assert [row.outcome for row in rows] == ["LimitExceeded", "LimitExceeded"]


def test_an_objective_that_is_no_number_is_none() -> None:
    assert trial_rows(results(loss(0, float("inf"))))[0].objective is None


def test_a_running_trial_is_drawn_until_now_and_one_that_waits_not_at_all() -> None:
    unfinished = {
        "trial-0001": Unfinished({"width": 3}, attempts=1, first_start=START.isoformat()),
        "trial-0002": Unfinished({"width": 4}),
    }
    traces = {"trial-0001": [trace("trial-0001", mean_step_time=0.2)]}
    rows = trial_rows(results(record(0), unfinished=unfinished, traces=traces, after=90))
    assert [(row.trial, row.outcome) for row in rows] == [("trial-0000", "Succeeded"), ("trial-0001", RUNNING)]
    running = rows[1]
    assert (running.start, running.end) == (START.timestamp() * 1000, (START.timestamp() + 90) * 1000)
    assert (running.memory, running.step) == (100 << 20, 0.2)
    assert {row.slot for row in rows} == {0, 1}


def test_trials_of_a_worker_share_a_slot_unless_they_ran_on_another_before() -> None:
    rows = trial_rows(
        results(
            record(0, worker="a/1"),
            record(1, worker="a/2"),
            record(2, worker="a/2", start_time=at(15), completion_time=at(16)),
            record(3, worker="a/2", start_time=at(0), completion_time=at(20), attempts=2),
        )
    )
    assert [row.slot for row in rows] == [0, 2, 2, 1]


def test_a_run_broken_off_long_ago_does_not_stretch_the_timeline() -> None:
    unfinished = {"trial-0001": Unfinished({}, attempts=1, first_start=START.isoformat())}
    rows = trial_rows(results(record(0), unfinished=unfinished, after=1e7))
    assert rows[1].end == (START.timestamp() + 10 + 600) * 1000


def test_a_trial_that_never_started_has_no_place_in_the_timeline() -> None:
    row = trial_rows(results(record(0, start_time=None)))[0]
    assert (row.start, row.slot) == (None, None)


def test_a_hanging_first_step_is_known_by_what_was_observed() -> None:
    hung = record(
        0, metrics={}, steps=0, outcome=Outcome.LIMIT_EXCEEDED, reason=Reason.STEP_TIME_LIMIT_EXCEEDED, observed=2.5
    )
    assert trial_rows(results(hung))[0].step == 2.5
