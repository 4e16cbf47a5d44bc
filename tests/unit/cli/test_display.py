"""The live table and the summary say what runs, what was stopped, and why, in units that people read."""

from io import StringIO

from rich.console import Console

from support.sweeps import BASE, edited
from tuningsweep_api.messages import SweepState
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import OptimalTrial, TrialRecord
from tuningsweep_cli.display import PlainLines, print_summary
from tuningsweep_cli.tables import outcome_words, sweep_view
from tuningsweep_cli.text import parameters

SWEEP = TuningSweep.from_manifest(BASE)
STATE = SweepState.model_validate(
    {
        "sweepUid": "local",
        "driverId": "d",
        "startTime": "2026-01-02T03:00:00Z",
        "desiredDigest": "x",
        "trials": {"total": 3, "running": 1, "succeeded": 1, "limitExceeded": 1},
        "optimalTrial": {"trial": "trial-0000", "parameters": {"batch_size": 30}, "objective": 0.25},
        "running": [
            {
                "trial": "trial-0002",
                "parameters": {"batch_size": 300},
                "startTime": "",
                "steps": 7,
                "memory": 2**27,
                "meanStepTime": 0.0123,
            }
        ],
        "result": {"succeeded": True, "reason": "SearchFinished", "message": "all 2 trials have ended"},
    }
)


def record(trial: str, **fields: object) -> TrialRecord:
    base = {
        "trial": trial,
        "parameters": {"batch_size": 30},
        "outcome": "Succeeded",
        "reason": "Completed",
        "completionTime": "2026-01-02T03:01:00Z",
        "metrics": {"validation_loss": 0.25},
    }
    return TrialRecord.model_validate({**base, **fields})


OVER = record(
    "trial-0001",
    outcome="LimitExceeded",
    reason="MemoryLimitExceeded",
    observed=2**29,
    limit=400 * 2**20,
    message="memory 512.0Mi is over limits.memory 400.0Mi",
)


def shown(*renderables: object) -> str:
    console = Console(file=StringIO(), width=160, force_terminal=False)
    for renderable in renderables:
        console.print(renderable)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_live_table_shows_memory_against_the_limit_and_progress() -> None:
    text = shown(sweep_view(SWEEP, STATE.trials, STATE.running, [record("trial-0000"), OVER]))
    assert "digits-svm: 2/4 trials, 1 succeeded, 1 over a limit" in text
    assert "128Mi/400Mi" in text
    assert "12.3ms" in text
    assert "MemoryLimitExceeded: 512Mi > 400Mi" in text


def test_parameters_are_shown_as_written_where_they_are_whole() -> None:
    assert parameters({"width": 40000, "rate": 0.000123456, "kind": "l1"}) == "width=40000 rate=0.0001235 kind=l1"


def test_a_held_trial_is_shown_with_the_reason() -> None:
    held = STATE.running[0].model_copy(update={"held": "it may need 400Mi"})
    console = Console(file=StringIO(), width=200)
    console.print(sweep_view(SWEEP, STATE.trials, [held], []))
    row = next(line for line in console.file.getvalue().splitlines() if "trial-0002" in line)  # type: ignore[attr-defined]
    assert row.rstrip().endswith("held: it may need 400Mi")
    assert "128Mi" not in row, "nothing of it is measured"


def test_outcome_words() -> None:
    assert outcome_words(record("t")) == "Succeeded"
    assert outcome_words(record("t", outcome="Failed", reason="OOMKilled")) == "Failed: OOMKilled"
    slow = record("t", outcome="LimitExceeded", reason="StepTimeLimitExceeded", observed=2.5, limit=2.0)
    assert outcome_words(slow) == "StepTimeLimitExceeded: 2.5s > 2.0s"


def test_summary_says_what_was_stopped_the_best_and_where_results_are() -> None:
    console = Console(file=StringIO(), width=160)
    print_summary(SWEEP, STATE, [record("trial-0000"), OVER], console, "/somewhere")
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "1 of 2 trials were stopped at a limit:" in text
    assert "memory 512.0Mi is over limits.memory 400.0Mi" in text
    assert "best: trial-0000 with validation_loss 0.25" in text
    assert "Complete (SearchFinished)" in text
    assert "results: /somewhere" in text


def test_summary_has_the_front_of_several_objectives() -> None:
    beside = [{"type": "minimize", "objectiveMetricName": "peak_memory_bytes"}]
    sweep = TuningSweep.from_manifest(edited(BASE, {"spec.objective.additionalObjectives": beside}))
    front = [
        OptimalTrial(trial=trial, parameters={"batch_size": 30}, objective=loss, metrics={"peak_memory_bytes": memory})
        for trial, loss, memory in (("trial-0001", 0.25, 2.0**28), ("trial-0000", 0.5, 2.0**27))
    ]
    state = STATE.model_copy(update={"optimal_trial": front[0], "pareto_front": front, "pareto_front_size": 3})
    console = Console(file=StringIO(), width=160)
    print_summary(sweep, state, [record("trial-0000")], console, "/somewhere")
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "best: trial-0001 with validation_loss 0.25, peak_memory_bytes 256Mi at batch_size=30" in text
    assert "Pareto front of 3 trials, no other is better in every objective, 2 of them:" in text
    assert "  trial-0000 with validation_loss 0.5, peak_memory_bytes 128Mi at batch_size=30" in text


def test_summary_says_what_was_not_worth_its_time() -> None:
    console = Console(file=StringIO(), width=160)
    print_summary(SWEEP, STATE, [record(f"trial-{n:04d}") for n in range(8)], console, "/somewhere")
    assert "not worth" not in console.file.getvalue()  # type: ignore[attr-defined]
    records = [
        record(
            f"trial-{n:04d}",
            parameters={"batch_size": batch, "learning_rate": 0.001 * 2**place},
            metrics={"validation_loss": loss, "mean_step_time_seconds": step_time},
            durationSeconds=200 * step_time,
            steps=200,
        )
        for n, (place, (batch, step_time, loss)) in enumerate(
            (place, case) for place in range(4) for case in ((30, 0.002, 0.5), (300, 0.04, 0.49))
        )
    ]
    records.append(
        records[0].model_copy(update={"trial": "trial-0008", "metrics": {**records[0].metrics, "validation_loss": 0.9}})
    )
    console = Console(file=StringIO(), width=160)
    print_summary(SWEEP, STATE, records, console, "/somewhere")
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "not worth its time: batch_size 300: a step takes 40 ms instead of 2 ms at 30" in text


def test_summary_names_the_cause_of_failed_trials_whatever_characters_it_has() -> None:
    console = Console(file=StringIO(), width=160)
    failed = record("trial-0003", outcome="Failed", reason="TrainableError", message="KeyError: [/nonsense]")
    print_summary(SWEEP, STATE, [failed], console, "/some[where]")
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "1 of 1 trials failed:" in text
    assert "KeyError: [/nonsense]" in text
    assert "results: /some[where]" in text


def test_plain_lines_tell_starts_and_ends() -> None:
    console = Console(file=StringIO(), width=160)
    with PlainLines(SWEEP, console) as lines:
        lines.trial_started("trial-0001", {"batch_size": 30})
        lines.trial_ended(OVER)
    assert console.file.getvalue().splitlines() == [  # type: ignore[attr-defined]
        "trial-0001 started: batch_size=30",
        "trial-0001 LimitExceeded: memory 512.0Mi is over limits.memory 400.0Mi",
    ]
