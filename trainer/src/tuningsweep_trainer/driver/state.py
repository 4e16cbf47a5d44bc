"""The pure fold from the book's progress and what the nodes observe to the SweepState that everyone is shown."""

from collections.abc import Mapping

from tuningsweep_api.messages import RECENT_STOPS_KEPT, RUNNING_TRIALS_SHOWN, DesiredState, SweepResult, SweepState
from tuningsweep_api.optimal import TRAINED, optimal_trial
from tuningsweep_api.outcomes import ConditionReason, Outcome
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import RunningTrial, StopRecord, TrialCounts, TrialRecord
from tuningsweep_trainer.driver.book import Live, Progress, counts_by_outcome, is_stop
from tuningsweep_trainer.node.runtime import TrialStatus


def fold_state(
    sweep: TuningSweep,
    desired: DesiredState,
    progress: Progress,
    statuses: Mapping[str, TrialStatus],
    *,
    driver_id: str,
    start_time: str,
    result: SweepResult | None,
) -> SweepState:
    """The state now; `statuses` are the nodes' observations by trial."""
    stops = [_stop(number, record) for number, record in enumerate(filter(is_stop, progress.records), start=1)]
    running = {name: live for name, live in progress.live.items() if live.running}
    return SweepState(
        sweep_uid=sweep.metadata.uid,
        driver_id=driver_id,
        start_time=start_time,
        desired_digest=desired.digest(),
        trials=_counts(progress, len(running)),
        optimal_trial=optimal_trial(sweep.spec.objective, progress.records),
        stop_count=len(stops),
        recent_stops=stops[-RECENT_STOPS_KEPT:],
        running=[_running(name, live, statuses.get(name)) for name, live in running.items()][:RUNNING_TRIALS_SHOWN],
        warning_count=progress.warnings,
        result=result,
    )


def _counts(progress: Progress, running: int) -> TrialCounts:
    by_outcome = counts_by_outcome(progress.records)
    return TrialCounts(
        total=len(progress.records) + len(progress.live),
        pending=len(progress.live) - running,
        running=running,
        succeeded=by_outcome[Outcome.SUCCEEDED],
        pruned=by_outcome[Outcome.PRUNED],
        limit_exceeded=by_outcome[Outcome.LIMIT_EXCEEDED],
        skipped=by_outcome[Outcome.SKIPPED],
        stopped=by_outcome[Outcome.STOPPED],
        failed=by_outcome[Outcome.FAILED],
    )


def _stop(number: int, record: TrialRecord) -> StopRecord:
    return StopRecord(
        sequence=number,
        trial=record.trial,
        outcome=record.outcome,
        reason=record.reason,
        observed=record.observed,
        limit=record.limit,
        time=record.completion_time,
        message=record.message,
    )


def _running(name: str, live: Live, status: TrialStatus | None) -> RunningTrial:
    shown = RunningTrial(trial=name, parameters=live.parameters, start_time=live.start_time or "")
    if status is None:
        return shown
    return shown.model_copy(
        update={
            "steps": status.steps,
            "memory": status.memory,
            "mean_step_time": status.mean_step_time,
            "step_in_flight": status.step_in_flight,
            "metrics": status.metrics,
        }
    )


def sweep_result(progress: Progress) -> SweepResult:
    """How the sweep ended, once nothing runs any more."""
    trained = sum(1 for record in progress.records if record.outcome in TRAINED)
    if progress.end is not None:
        succeeded = progress.end.condition is ConditionReason.GOAL_REACHED
        return SweepResult(succeeded=succeeded, reason=progress.end.condition, message=progress.end.message)
    by_outcome = counts_by_outcome(progress.records)
    summary = ", ".join(f"{count} {outcome}" for outcome, count in by_outcome.items())
    if trained:
        message = f"all {len(progress.records)} trials have ended: {summary}"
        return SweepResult(succeeded=True, reason=ConditionReason.SEARCH_FINISHED, message=message)
    message = f"none of {len(progress.records)} trials succeeded: {summary}; are the limits tighter than any can keep?"
    return SweepResult(succeeded=False, reason=ConditionReason.NO_TRIAL_SUCCEEDED, message=message)
