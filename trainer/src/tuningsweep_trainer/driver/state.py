"""The pure fold from the book's progress and what the nodes observe to the SweepState that everyone is shown."""

from collections.abc import Mapping

from tuningsweep_api.messages import PARETO_TRIALS_SHOWN, RUNNING_TRIALS_SHOWN, SweepResult, SweepState
from tuningsweep_api.optimal import TRAINED
from tuningsweep_api.outcomes import ConditionReason
from tuningsweep_api.pareto import spread
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import RunningTrial, TrialCounts
from tuningsweep_trainer.driver.live import Live, Progress
from tuningsweep_trainer.node.runtime import TrialStatus


def fold_state(
    sweep: TuningSweep,
    progress: Progress,
    statuses: Mapping[str, TrialStatus],
    *,
    driver_id: str,
    start_time: str,
    digest: str,
    result: SweepResult | None,
) -> SweepState:
    """The state now; `statuses` are the nodes' observations by trial, `digest` that of the desired state in force."""
    tally = progress.tally
    front = tally.front if tally.objective.additional_objectives else []
    shown = {**progress.running, **progress.held}
    return SweepState(
        sweep_uid=sweep.metadata.uid,
        driver_id=driver_id,
        start_time=start_time,
        desired_digest=digest,
        trials=_counts(progress),
        optimal_trial=tally.best,
        pareto_front=spread(front, PARETO_TRIALS_SHOWN),
        pareto_front_size=len(front),
        stop_count=tally.stop_count,
        recent_stops=list(tally.recent_stops),
        running=[_running(name, live, statuses.get(name)) for name, live in shown.items()][:RUNNING_TRIALS_SHOWN],
        warning_count=progress.warnings,
        result=result,
    )


def _counts(progress: Progress) -> TrialCounts:
    running, held = len(progress.running), len(progress.held)
    return TrialCounts.of(progress.tally.outcomes, pending=len(progress.live) - running, running=running, held=held)


def _running(name: str, live: Live, status: TrialStatus | None) -> RunningTrial:
    shown = RunningTrial(trial=name, parameters=live.parameters, start_time=live.start_time or "", held=live.held)
    if status is None or live.held:
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
    tally = progress.tally
    if progress.end is not None:
        succeeded = progress.end.condition is ConditionReason.GOAL_REACHED
        return SweepResult(succeeded=succeeded, reason=progress.end.condition, message=progress.end.message)
    outcomes = tally.outcomes
    summary = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
    if any(outcomes[outcome] for outcome in TRAINED):
        message = f"all {tally.ended} trials have ended: {summary}"
        return SweepResult(succeeded=True, reason=ConditionReason.SEARCH_FINISHED, message=message)
    message = f"none of {tally.ended} trials succeeded: {summary}; are the limits tighter than any can keep?"
    return SweepResult(succeeded=False, reason=ConditionReason.NO_TRIAL_SUCCEEDED, message=message)
