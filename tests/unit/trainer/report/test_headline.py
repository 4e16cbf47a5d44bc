"""The words at the top: how the sweep stands, what was saved and how surely, what ran under which limits."""

from dataclasses import replace
from datetime import timedelta

import pytest

from support.example_results import example_sweep
from support.results import START, record
from tuningsweep_api.messages import SweepResult, SweepState, desired_state
from tuningsweep_api.outcomes import ConditionReason, Outcome, Reason
from tuningsweep_api.spec.limits import Limits
from tuningsweep_api.spec.objective import ObjectiveType, SingleObjective
from tuningsweep_api.trials import TrialCounts
from tuningsweep_trainer.report import words
from tuningsweep_trainer.report.gather import Results
from tuningsweep_trainer.report.headline import cards, cpu_shares, facts, limits_words, saved_words, status
from tuningsweep_trainer.report.rows import trial_rows
from tuningsweep_trainer.report.savings import Saving, Savings, estimate
from tuningsweep_trainer.report.tables import trials_table
from tuningsweep_trainer.results.ledger import Unfinished

OVER = {"outcome": Outcome.LIMIT_EXCEEDED, "reason": Reason.MEAN_STEP_TIME_LIMIT_EXCEEDED, "observed": 0.5}


def results(*records, **fields) -> Results:
    return Results("here", example_sweep(), START + timedelta(seconds=90), records=list(records), **fields)


def ended(*, succeeded: bool) -> SweepState:
    result = SweepResult(succeeded=succeeded, reason=ConditionReason.SEARCH_FINISHED, message="all have ended")
    return SweepState(
        sweep_uid="u",
        driver_id="d",
        start_time=START.isoformat(),
        desired_digest="x",
        trials=TrialCounts(),
        result=result,
    )


def test_status_is_that_of_the_last_state() -> None:
    assert status(results(state=ended(succeeded=True))).word == "Complete"
    failed = status(results(state=ended(succeeded=False)))
    assert (failed.word, failed.kind, failed.message) == ("Failed", "bad", "SearchFinished: all have ended")


def test_a_sweep_without_a_last_state_has_not_ended() -> None:
    unfinished = {"a": Unfinished({}, attempts=1), "b": Unfinished({})}
    assert status(results(unfinished=unfinished)).message == "1 trial started and not ended, 1 waiting"
    assert "not on record" in status(results(record(0))).message


def savings(low: float, high: float, counted: int, uncounted: int) -> Savings:
    return Savings(low, high, {str(i): Saving(0, 0) for i in range(counted)}, uncounted, 100.0)


@pytest.mark.parametrize(
    ("estimate", "value"),
    [
        (savings(30, 30, 1, 0), "about 30 s"),
        (savings(30, 90, 1, 0), "about 30 s to 90 s"),
        (savings(30, 90, 1, 2), "at least 30 s"),
        (savings(0, 0, 0, 2), "not known"),
        (savings(0, 0, 0, 0), "none"),
    ],
)
def test_savings_say_how_sure_they_are(estimate: Savings, value: str) -> None:
    assert saved_words(estimate)[0] == value


def test_cards_count_stops_by_limit() -> None:
    run = results(record(0), record(1, **OVER, steps=10), record(2, **OVER, steps=10))
    found = {card.title: card for card in cards(run, trial_rows(run), estimate(run.records, {}))}
    assert (found["stopped at a limit"].value, found["stopped at a limit"].detail) == ("2", "2 mean step time")
    assert found["best validation_loss"].detail == "trial-0000"
    assert found["CPU time used"].value == "15 s"


def test_cpu_time_is_shared_out_by_outcome_with_the_saved_beside_it() -> None:
    run = results(record(0), record(1, **OVER, steps=10))
    shares = cpu_shares(run, estimate(run.records, {}))
    assert [(share.kind, share.seconds) for share in shares] == [
        ("Succeeded", 5.0),
        ("LimitExceeded", 5.0),
        ("saved", pytest.approx(90 * 0.5 * 0.5)),
    ]


def test_facts_name_limits_as_last_edited_and_the_time_it_took() -> None:
    edits = {"limits": Limits(memory="1Gi"), "max_trial_count": 32, "parallel_trial_count": 3}
    desired = desired_state(results().sweep).model_copy(update=edits)
    run = results(record(0), state=ended(succeeded=True), desired=desired)
    found = dict(facts(run, "1.2.3"))
    assert found["Limits"] == "memory 1Gi"
    assert found["At a time"].startswith("3")
    assert cards(run, trial_rows(run), estimate(run.records, {}))[0].detail == "of at most 32"
    assert found["Time"] == "2026-01-01 00:00:00 to 2026-01-01 00:00:10 UTC, 10 s"
    assert found["Versions"] == "tuningsweep.io/v1alpha1, report by TuningSweep 1.2.3"
    assert dict(facts(results(), ""))["Time"] == "not started"


def test_a_sweep_that_went_on_has_taken_since_its_first_trial() -> None:
    resumed = (START + timedelta(hours=3)).isoformat()
    later = ended(succeeded=True).model_copy(update={"start_time": resumed})
    assert (
        dict(facts(results(record(0), state=later), ""))["Time"]
        == "2026-01-01 00:00:00 to 2026-01-01 00:00:10 UTC, 10 s"
    )


def test_limits_that_only_warn_say_so() -> None:
    assert limits_words(Limits(memory="1Gi", action="Warn")) == "memory 1Gi (only warned of)"
    assert limits_words(Limits()) == "none"


@pytest.mark.parametrize(
    ("seconds", "text"), [(5, "5 s"), (99, "99 s"), (125, "2 min 5 s"), (7300, "2 h 1 min"), (200_000, "2 d 7 h")]
)
def test_spans_have_two_units(seconds: float, text: str) -> None:
    assert words.span(seconds) == text


def test_facts_name_the_front_of_several_objectives() -> None:
    beside = SingleObjective(type=ObjectiveType.MINIMIZE, objective_metric_name="peak_memory_bytes")
    found = results(
        *(record(i, metrics={"validation_loss": 1 / (1 + i), "peak_memory_bytes": 2.0**27}) for i in (0, 1))
    )
    assert "Pareto front" not in dict(facts(found, "1"))
    spec = found.sweep.spec
    several = spec.objective.model_copy(update={"additional_objectives": [beside]})
    sweep = found.sweep.model_copy(update={"spec": spec.model_copy(update={"objective": several})})
    told = dict(facts(replace(found, sweep=sweep), "1"))
    assert (
        told["Pareto front"] == f"1 trial: {found.records[1].trial} (validation_loss 0.5, peak_memory_bytes 128.0 MiB)"
    )
    assert told["Objective"] == "minimize validation_loss, minimize peak_memory_bytes"
    table = trials_table(trial_rows(replace(found, sweep=sweep)), sweep)
    front = [column.key for column in table.columns].index("front")
    assert [row[front] for row in table.rows] == [False, True]
    assert all(len(row) == len(table.columns) for row in table.rows)
