"""How a training process ended, as one value: made by the monitor, put into the last Tune result by the supervisor."""

import signal
from dataclasses import dataclass

from tuningsweep_api.judge import Verdict
from tuningsweep_api.outcomes import LIMIT_REASONS, Outcome, Reason
from tuningsweep_api.text import SENTENCE, in_unit_of
from tuningsweep_api.trials import Forecast

_LIMIT_NAMES = {
    Reason.MEMORY_LIMIT_EXCEEDED: ("memory", "limits.memory"),
    Reason.GPU_MEMORY_LIMIT_EXCEEDED: ("GPU memory", "limits.gpuMemory"),
    Reason.MEAN_STEP_TIME_LIMIT_EXCEEDED: ("mean step time", "limits.meanStepTime"),
    Reason.STEP_TIME_LIMIT_EXCEEDED: ("step time", "limits.stepTime"),
    Reason.TRIAL_DURATION_EXCEEDED: ("trial duration", "limits.trialDuration"),
}


@dataclass(frozen=True, slots=True)
class Ending:
    """Outcome and reason of a trial, with what was observed and allowed where a limit decided."""

    outcome: Outcome
    reason: Reason
    message: str = ""
    observed: float | None = None
    limit: float | None = None


def over_limit(verdict: Verdict) -> Ending:
    """The ending of a trial over a limit."""
    return Ending(
        Outcome.LIMIT_EXCEEDED, verdict.reason, limit_sentence(verdict), float(verdict.observed), float(verdict.limit)
    )


def limit_sentence(verdict: Verdict) -> str:
    """A sentence for people about a limit that was exceeded."""
    assert verdict.reason in LIMIT_REASONS
    what, field = _LIMIT_NAMES[verdict.reason]
    observed, limit = (in_unit_of(verdict.reason, value, SENTENCE) for value in (verdict.observed, verdict.limit))
    return f"{what} {observed} is over {field} {limit}"


def forecast_sentence(forecast: Forecast) -> str:
    """A sentence for people about a trial that is predicted to exceed a limit."""
    what, field = _LIMIT_NAMES[forecast.reason]
    values = (forecast.predicted, forecast.lower, forecast.upper, forecast.limit)
    predicted, lower, upper, limit = (in_unit_of(forecast.reason, value, SENTENCE) for value in values)
    trials = ", ".join(forecast.based_on)
    return f"{what} is predicted to be {predicted} (95 %: {lower} to {upper}), over {field} {limit}, by {trials}"


def finished() -> Ending:
    """The ending of a trial that trained to its end."""
    return Ending(Outcome.SUCCEEDED, Reason.COMPLETED, "trained to its end")


def raised(message: str) -> Ending:
    """The ending of a trial whose code raised."""
    return Ending(Outcome.FAILED, Reason.TRAINABLE_ERROR, message)


def metric_missing(metric: str, reported: set[str]) -> Ending:
    """The ending of a trial that never reported a metric which the sweep optimises."""
    names = ", ".join(sorted(reported)) or "nothing"
    message = f"it ended without reporting {metric!r}, a metric of spec.objective; it reported {names}"
    return Ending(Outcome.FAILED, Reason.METRIC_MISSING, message)


def died(status: int | None, *, out_of_memory: bool) -> Ending:
    """The ending of a trial whose process died by itself; `status` as of subprocess, None if it is not known."""
    if out_of_memory and status == -signal.SIGKILL:
        message = (
            "the kernel killed it for want of memory; raise cluster.resourcesPerTrial.memory or lower limits.memory"
        )
        return Ending(Outcome.FAILED, Reason.OOM_KILLED, message)
    how = "for an unknown reason"
    if status is not None:
        how = f"by signal {_signal_name(-status)}" if status < 0 else f"with status {status} before it had finished"
    return Ending(
        Outcome.FAILED, Reason.TRAINING_PROCESS_DIED, f"the training process ended {how}; see the trial's log"
    )


def gpu_unreadable(why: str) -> Ending:
    """The ending of a trial whose GPU memory is limited and can't be measured."""
    return Ending(Outcome.FAILED, Reason.GPU_UNREADABLE, f"limits.gpuMemory can't be kept: {why}")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def stopped(reason: Reason) -> Ending:
    """The ending of a trial that someone stopped."""
    messages = {
        Reason.STOP_REQUESTED: "stopped on request",
        Reason.SWEEP_DEADLINE_EXCEEDED: "the sweep's activeDeadlineSeconds went by",
        Reason.SWEEP_ENDED: "the sweep has ended",
    }
    return Ending(Outcome.STOPPED, reason, messages.get(reason, ""))
