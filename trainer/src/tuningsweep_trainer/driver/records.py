"""What is put on record of a trial that has ended."""

from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.driver.live import Live
from tuningsweep_trainer.supervisor.result import TrialResult


def record_of(name: str, live: Live, result: TrialResult, completion_time: str) -> TrialRecord:
    """The record of a trial that has ended, with its last result: what its processes used adds up over all its attempts.

    A result that no training process gave (the sweep ended, the supervisor died) says nothing of what was used; the last
    report does then.
    """
    last = live.last or TrialResult(process="")
    final = result if result.process else last
    return TrialRecord(
        trial=name,
        parameters=live.parameters,
        outcome=result.outcome or Outcome.PRUNED,
        reason=result.reason or Reason.PRUNED_BY_SCHEDULER,
        message=result.message,
        observed=result.observed,
        limit=result.limit,
        metrics=result.metrics or last.metrics,
        steps=max(result.steps, last.steps),
        start_time=live.start_time,
        completion_time=completion_time,
        duration_seconds=round(live.spent_seconds + final.duration_seconds, 3),
        cpu_seconds=round(live.spent_cpu_seconds + final.cpu_seconds, 3),
        peak_memory=max(result.peak_memory, last.peak_memory),
        peak_gpu_memory=_larger(result.peak_gpu_memory, last.peak_gpu_memory),
        attempts=live.attempts,
        worker=final.worker or None,
        forecast=live.forecast,
    )


def ending_of(result: TrialResult | None, longest: int | None) -> TrialResult:
    """The result with an outcome. Without one the scheduler ended the trial: pruned, or trained as long as it may be."""
    if result is not None and result.outcome is not None:
        return result
    result = result or TrialResult(process="")
    if longest is not None and result.steps >= longest:
        said = {"outcome": Outcome.SUCCEEDED, "reason": Reason.COMPLETED, "message": f"reached {longest} steps"}
    else:
        message = "pruned by the scheduler"
        said = {"outcome": Outcome.PRUNED, "reason": Reason.PRUNED_BY_SCHEDULER, "message": message}
    return result.model_copy(update=said)


def _larger(*values: int | None) -> int | None:
    return max((value for value in values if value is not None), default=None)
