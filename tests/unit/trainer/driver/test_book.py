"""The book of trials: who may start, what ends the sweep, what a restart finds."""

from pathlib import Path
from typing import Any

import pytest

from support.sweeps import sweep_manifest
from tuningsweep_api.messages import PARETO_TRIALS_SHOWN, desired_state
from tuningsweep_api.outcomes import ConditionReason, Outcome, Reason
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.driver.book import Book
from tuningsweep_trainer.driver.forecast import Forecaster
from tuningsweep_trainer.driver.listeners import Listeners
from tuningsweep_trainer.driver.proposals import make_proposer
from tuningsweep_trainer.driver.state import fold_state, sweep_result
from tuningsweep_trainer.node.runtime import TrialStatus
from tuningsweep_trainer.results.ledger import Ledger
from tuningsweep_trainer.results.store import LocalStore
from tuningsweep_trainer.supervisor.result import TrialResult


class Sweep:
    """A book over a folder, opened as often as the driver starts."""

    def __init__(self, folder: Path, **edits: Any) -> None:
        self.spec = TuningSweep.from_manifest(sweep_manifest(**edits))
        self.folder = folder
        self.outlived: list[tuple[str, int, bool]] = []
        """Trials, the checkpoint before which none is needed, and whether their end was on record by then."""
        self.reopen()

    def reopen(self) -> None:
        ledger = Ledger(LocalStore(self.folder))
        proposer = make_proposer(self.spec.spec, ledger.load().assigned)
        self.book = Book(self.spec, ledger, proposer, Listeners([]), desired_state(self.spec), self._outlive)

    def _outlive(self, trial: str, checkpoint: int) -> None:
        self.outlived.append((trial, checkpoint, trial in [record.trial for record in self.records()]))

    def records(self) -> list[TrialRecord]:
        return Ledger(LocalStore(self.folder)).load().records

    def start(self) -> str:
        assigned = self.book.next_trial()
        assert assigned is not None
        self.book.started(*assigned)
        return assigned[0]

    def end(self, trial: str, outcome: Outcome | None, reason: Reason = Reason.COMPLETED, **fields: Any) -> None:
        said = TrialResult(process=trial, outcome=outcome, reason=None if outcome is None else reason, **fields)
        parameters = self.book.progress().live[trial].parameters
        self.book.ended(trial, parameters, said)

    def state(self) -> Any:
        progress = self.book.progress()
        result = sweep_result(progress) if self.book.closed or self.book.nothing_left else None
        return fold_state(self.spec, progress, {}, driver_id="d", start_time="t", digest="", result=result)


def loss(value: float) -> dict[str, Any]:
    return {"metrics": {"validation_loss": value}}


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    return Sweep(tmp_path)


def test_no_more_than_the_parallel_count_start(sweep: Sweep) -> None:
    assert [sweep.start(), sweep.start()] == ["trial-0000", "trial-0001"]
    assert sweep.book.next_trial() is None
    sweep.end("trial-0000", Outcome.SUCCEEDED, **loss(1))
    assert sweep.start() == "trial-0002"


def test_checkpoints_are_outlived_once_the_end_of_their_trial_is_on_record(sweep: Sweep) -> None:
    trials = [sweep.start(), sweep.start()]
    sweep.end(trials[0], Outcome.SUCCEEDED, checkpoint=5, **loss(1))
    sweep.book.reported(trials[1], TrialResult(process="p", checkpoint=2), 1)
    sweep.book.failed(trials[1], "its supervisor died")
    never_saved, pruned = sweep.start(), sweep.start()
    sweep.end(never_saved, Outcome.SUCCEEDED, **loss(1))
    sweep.end(pruned, None, checkpoint=3, **loss(2))
    assert sweep.outlived == [(trials[0], 5, True), (trials[1], 2, True), (pruned, 3, True)]


def test_a_trial_that_goes_on_at_the_next_start_outlives_no_checkpoint(sweep: Sweep) -> None:
    trial = sweep.start()
    sweep.book.interrupted = True
    sweep.end(trial, None, checkpoint=3)
    assert sweep.outlived == []


def test_with_auto_a_few_trials_ask_for_memory_and_more_once_those_train(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path, spec__parallelTrialCount="Auto", spec__maxTrialCount=16)
    first, second = sweep.start(), sweep.start()
    assert sweep.book.next_trial() is None, "nobody has heard yet whether the first two have room"
    why = "it may need 3Mi"
    told = {first: "", second: why}
    statuses = {name: TrialStatus(trial=name, process="", supervisor_pid=1, held=held) for name, held in told.items()}
    sweep.book.observed(statuses, nodes=1)
    third = sweep.start()
    assert sweep.book.next_trial() is None
    state = sweep.state()
    assert (state.trials.running, state.trials.pending, state.trials.held) == (2, 1, 1)
    assert {trial.trial: trial.held for trial in state.running} == {first: "", second: why, third: ""}
    sweep.book.observed({}, nodes=4)
    assert [sweep.start(), sweep.start()] == ["trial-0003", "trial-0004"], "every node has one to ask for"
    sweep.book.reported(second, TrialResult(process="p", metrics={"validation_loss": 1.0}), 1)
    assert sweep.state().trials.held == 0


def test_with_auto_a_trial_asks_for_its_forecast_and_nobody_predicts_for_a_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Forecaster, "most_memory", lambda *_: 400 << 20)
    sweep = Sweep(tmp_path, spec__parallelTrialCount="Auto")
    _, parameters = sweep.book.next_trial() or ("", {})
    assert sweep.book.expected_memory(parameters) == 400 << 20
    sweep.book.edit(sweep.book.desired.model_copy(update={"parallel_trial_count": 2}))
    assert sweep.book.expected_memory(parameters) is None


def test_a_paused_trial_makes_room_and_is_released_once(sweep: Sweep) -> None:
    first = sweep.start()
    sweep.book.reported(first, TrialResult(process="p1", metrics={"validation_loss": 1.0}), 1)
    sweep.start()
    for _ in range(3):
        sweep.book.paused(first)
    assert sweep.book.released == ["p1"]
    assert sweep.start() == "trial-0002"
    assert sweep.state().trials.pending == 1


def test_edited_counts_hold_at_once(sweep: Sweep) -> None:
    sweep.start()
    sweep.book.edit(sweep.book.desired.model_copy(update={"parallel_trial_count": 1, "max_trial_count": 1}))
    assert sweep.book.next_trial() is None
    assert sweep.book.nothing_left
    sweep.book.edit(sweep.book.desired.model_copy(update={"parallel_trial_count": 3, "max_trial_count": 9}))
    assert not sweep.book.nothing_left
    assert [sweep.start(), sweep.start()] == ["trial-0001", "trial-0002"]


def test_a_restart_repeats_nothing_and_goes_on_with_the_unfinished_first(sweep: Sweep) -> None:
    first, second = sweep.start(), sweep.start()
    parameters = sweep.book.progress().live[second].parameters
    sweep.end(first, Outcome.LIMIT_EXCEEDED, Reason.MEMORY_LIMIT_EXCEEDED, observed=2.0, limit=1.0)
    sweep.reopen()
    assert sweep.book.next_trial() == (second, parameters)
    sweep.book.started(second, parameters)
    assert sweep.start() == "trial-0002"
    sweep.end(second, Outcome.STOPPED, Reason.STOP_REQUESTED)
    state = sweep.state()
    assert [(stop.sequence, stop.trial) for stop in state.recent_stops] == [(1, first), (2, second)]
    assert sweep.records()[-1].attempts == 2


def test_a_restart_proposes_what_the_first_start_would_have(tmp_path: Path) -> None:
    once, twice = Sweep(tmp_path / "once"), Sweep(tmp_path / "twice")
    proposed: dict[str, list[Any]] = {"once": [], "twice": []}
    for name, sweep in (("once", once), ("twice", twice)):
        for _ in range(4):
            assigned = sweep.book.next_trial()
            assert assigned is not None
            proposed[name].append(assigned)
            sweep.book.started(*assigned)
            sweep.end(assigned[0], Outcome.SUCCEEDED, **loss(1))
            if name == "twice":
                sweep.reopen()
    assert proposed["once"] == proposed["twice"]


def test_the_goal_ends_the_sweep_and_its_trial_is_the_best(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path, spec__objective__goal="0.5")
    first, second = sweep.start(), sweep.start()
    sweep.book.reported(first, TrialResult(process="p", metrics={"validation_loss": 0.4}), 5)
    assert not sweep.book.closed, "a trial is not cut short by its own success"
    sweep.end(first, Outcome.SUCCEEDED, **loss(0.4))
    assert sweep.book.end is not None
    assert sweep.book.end.reason is Reason.SWEEP_ENDED
    sweep.end(second, Outcome.STOPPED, Reason.SWEEP_ENDED)
    state = sweep.state()
    assert (state.result.succeeded, state.result.reason) == (True, ConditionReason.GOAL_REACHED)
    assert state.optimal_trial.trial == first


def test_trials_over_a_limit_never_count_as_failed(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path, spec__maxFailedTrialCount=0)
    for _ in range(4):
        sweep.end(sweep.start(), Outcome.LIMIT_EXCEEDED, Reason.STEP_TIME_LIMIT_EXCEEDED)
    assert sweep.state().result.reason is ConditionReason.NO_TRIAL_SUCCEEDED


@pytest.mark.parametrize(
    ("reason", "metrics", "condition"),
    [
        (Reason.TRAINABLE_ERROR, {}, ConditionReason.MAX_FAILED_TRIALS_EXCEEDED),
        (Reason.METRIC_MISSING, {"other": 1.0}, ConditionReason.OBJECTIVE_METRIC_MISSING),
    ],
)
def test_failures_end_the_sweep(
    tmp_path: Path, reason: Reason, metrics: dict[str, float], condition: ConditionReason
) -> None:
    sweep = Sweep(tmp_path, spec__maxFailedTrialCount=1, spec__parallelTrialCount=1)
    for _ in range(2):
        assert not sweep.book.closed
        sweep.end(sweep.start(), Outcome.FAILED, reason, metrics=metrics)
    assert sweep.book.closed
    result = sweep.state().result
    assert (result.succeeded, result.reason) == (False, condition)


def test_the_deadline_ends_the_sweep(sweep: Sweep) -> None:
    sweep.start()
    sweep.book.edit(desired_state(sweep.spec, Reason.SWEEP_DEADLINE_EXCEEDED))
    assert sweep.book.next_trial() is None
    sweep.book.close_open_trials()
    (record,) = sweep.records()
    assert (record.outcome, record.reason) == (Outcome.STOPPED, Reason.SWEEP_DEADLINE_EXCEEDED)
    assert sweep.state().result.reason is ConditionReason.DEADLINE_EXCEEDED


def test_trials_that_a_restart_did_not_hand_out_again_end_with_the_sweep(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path, spec__objective__goal="0.5")
    first, second = sweep.start(), sweep.start()
    sweep.reopen()
    sweep.start()
    sweep.end(first, Outcome.SUCCEEDED, **loss(0.4))
    assert sweep.book.next_trial() is None
    sweep.book.close_open_trials()
    ended = {record.trial: (record.outcome, record.reason, record.attempts) for record in sweep.records()}
    assert ended == {
        first: (Outcome.SUCCEEDED, Reason.COMPLETED, 2),
        second: (Outcome.STOPPED, Reason.SWEEP_ENDED, 1),
    }
    assert sweep.state().trials.total == 2


@pytest.mark.parametrize(("steps", "outcome"), [(39, Outcome.PRUNED), (40, Outcome.SUCCEEDED)])
def test_a_trial_that_the_scheduler_ends_at_max_steps_has_succeeded(
    tmp_path: Path, steps: int, outcome: Outcome
) -> None:
    sweep = Sweep(tmp_path, spec__scheduler={"type": "ASHA", "maxSteps": 40, "gracePeriodSteps": 10})
    sweep.end(sweep.start(), None, steps=steps, **loss(1))
    assert sweep.records()[0].outcome is outcome


def test_an_interrupted_sweep_keeps_its_trials_unfinished(sweep: Sweep) -> None:
    trial = sweep.start()
    sweep.book.interrupted = True
    sweep.end(trial, None)
    for _ in range(2):
        sweep.book.close_open_trials()
        sweep.reopen()
        sweep.book.interrupted = True
    sweep.book.interrupted = False
    assigned = sweep.book.next_trial()
    assert assigned is not None
    assert assigned[0] == trial


def test_a_trial_whose_supervisor_died_waits(sweep: Sweep) -> None:
    trial = sweep.start()
    sweep.book.lost(trial)
    assert not sweep.book.anything_running
    assert (sweep.state().trials.pending, sweep.state().trials.running) == (1, 0)


def batches(tmp_path: Path, forecast: str) -> Sweep:
    """A sweep of eight trials over one batch size that fits and one that does not, in turns."""
    batch = {"name": "batch_size", "parameterType": "discrete", "feasibleSpace": {"list": ["30", "30000"]}}
    seed = {"name": "learning_rate", "parameterType": "discrete", "feasibleSpace": {"list": ["1", "2", "3", "4", "5"]}}
    limits = {"memory": "200Mi", "forecast": forecast}
    edits = {"spec__parameters": [seed, batch], "spec__search": {"algorithmName": "grid"}, "spec__limits": limits}
    return Sweep(tmp_path, **edits, spec__parallelTrialCount=1, spec__maxTrialCount=10)


def run_batches(sweep: Sweep) -> list[TrialRecord]:
    while (assigned := sweep.book.next_trial()) is not None:
        name, parameters = assigned
        sweep.book.started(name, parameters)
        if parameters["batch_size"] == 30:
            sweep.end(name, Outcome.SUCCEEDED, peak_memory=100 << 20, steps=10, **loss(1))
        else:
            fields = {"peak_memory": 290 << 20, "observed": 290 << 20, "limit": 200 << 20, "steps": 1}
            sweep.end(name, Outcome.LIMIT_EXCEEDED, Reason.MEMORY_LIMIT_EXCEEDED, **fields)
    return sweep.records()


def test_a_trial_bound_to_exceed_a_limit_is_skipped_with_the_prediction(tmp_path: Path) -> None:
    records = run_batches(batches(tmp_path, "Skip"))
    assert len(records) == 10
    skipped = [record for record in records if record.outcome is Outcome.SKIPPED]
    assert skipped
    for record in skipped:
        assert record.parameters["batch_size"] == 30000
        assert (record.reason, record.attempts, record.start_time) == (Reason.PREDICTED_OVER_LIMIT, 0, None)
        assert record.forecast is not None
        assert record.forecast.lower > record.forecast.limit == 200 << 20
        assert record.forecast.based_on
        assert "is predicted to be" in record.message
        assert "limits.memory 200.0Mi" in record.message


def test_skipped_trials_are_counted_and_stay_skipped_after_a_restart(tmp_path: Path) -> None:
    sweep = batches(tmp_path, "Skip")
    skipped = sum(record.outcome is Outcome.SKIPPED for record in run_batches(sweep))
    sweep.reopen()
    assert sweep.book.next_trial() is None
    assert (sweep.state().trials.skipped, sweep.state().trials.total) == (skipped, 10)


@pytest.mark.parametrize("forecast", ["Off", "Warn"])
def test_only_skip_skips(tmp_path: Path, forecast: str) -> None:
    records = run_batches(batches(tmp_path, forecast))
    assert [record.outcome for record in records].count(Outcome.LIMIT_EXCEEDED) == 5
    warned = [record.trial for record in records if record.forecast is not None]
    assert bool(warned) == (forecast == "Warn")


def used(seconds: float) -> dict[str, float]:
    return {"duration_seconds": seconds, "cpu_seconds": seconds / 2}


def test_times_add_up_over_the_processes_of_a_trial(sweep: Sweep) -> None:
    trial = sweep.start()
    sweep.book.reported(trial, TrialResult(process="p1", **used(3.0)), 1)
    sweep.book.reported(trial, TrialResult(process="p1", **used(5.0)), 2)
    sweep.book.lost(trial)
    sweep.book.started(trial, sweep.book.progress().live[trial].parameters)
    sweep.book.reported(trial, TrialResult(process="p2", **used(1.0)), 3)
    sweep.end(trial, Outcome.SUCCEEDED, **used(2.0), **loss(1))
    (record,) = sweep.records()
    assert (record.duration_seconds, record.cpu_seconds, record.attempts) == (7.0, 3.5, 2)


def test_a_record_names_the_worker_of_its_last_process_also_when_that_died(sweep: Sweep) -> None:
    first, second = sweep.start(), sweep.start()
    sweep.book.reported(first, TrialResult(process="p1", worker="here/1"), 1)
    sweep.book.lost(first)
    sweep.book.failed(first, "its supervisor failed repeatedly")
    sweep.end(second, Outcome.SUCCEEDED, worker="there/2", **loss(1))
    assert [record.worker for record in sweep.records()] == ["here/1", "there/2"]


def test_the_time_of_a_trial_that_ends_while_paused_is_not_lost(sweep: Sweep) -> None:
    trial = sweep.start()
    sweep.book.reported(trial, TrialResult(process="p1", **used(5.0)), 2)
    sweep.book.paused(trial)
    sweep.book.edit(desired_state(sweep.spec, Reason.SWEEP_DEADLINE_EXCEEDED))
    sweep.book.close_open_trials()
    (record,) = sweep.records()
    assert (record.outcome, record.duration_seconds, record.cpu_seconds) == (Outcome.STOPPED, 5.0, 2.5)


SMALL = [{"type": "minimize", "objectiveMetricName": "peak_memory_bytes"}]


def test_the_front_of_several_objectives_grows_with_the_sweep_and_survives_a_restart(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path, spec__objective__additionalObjectives=SMALL, spec__parallelTrialCount=1)
    for value, memory in ((0.5, 10.0), (0.2, 40.0), (0.6, 30.0), (0.1, 90.0)):
        sweep.end(sweep.start(), Outcome.SUCCEEDED, metrics={"validation_loss": value, "peak_memory_bytes": memory})
    assert sweep.book.next_trial() is None
    edited_sweep = sweep.spec.model_copy(update={"spec": sweep.spec.spec.model_copy(update={"max_trial_count": 5})})
    sweep.book.edit(desired_state(edited_sweep))
    over = {"validation_loss": 0.01, "peak_memory_bytes": 1.0}
    sweep.end(sweep.start(), Outcome.LIMIT_EXCEEDED, Reason.STEP_TIME_LIMIT_EXCEEDED, metrics=over)
    for _ in range(2):
        state = sweep.state()
        assert [trial.trial for trial in state.pareto_front] == ["trial-0003", "trial-0001", "trial-0000"]
        assert state.pareto_front_size == 3
        assert state.optimal_trial == state.pareto_front[0]
        sweep.reopen()


def test_a_large_front_is_shown_in_part_with_both_its_ends(tmp_path: Path) -> None:
    several = {"spec__objective__additionalObjectives": SMALL, "spec__maxTrialCount": 50}
    sweep = Sweep(tmp_path, spec__parallelTrialCount=1, spec__search={"algorithmName": "random"}, **several)
    for index in range(50):
        sweep.end(
            sweep.start(), Outcome.SUCCEEDED, metrics={"validation_loss": 50.0 - index, "peak_memory_bytes": index}
        )
    state = sweep.state()
    assert (state.pareto_front_size, len(state.pareto_front)) == (50, PARETO_TRIALS_SHOWN)
    assert (state.pareto_front[0].trial, state.pareto_front[-1].trial) == ("trial-0049", "trial-0000")


def test_one_objective_has_no_front(sweep: Sweep) -> None:
    sweep.end(sweep.start(), Outcome.SUCCEEDED, **loss(0.5))
    assert (sweep.state().pareto_front, sweep.state().pareto_front_size) == ([], 0)
