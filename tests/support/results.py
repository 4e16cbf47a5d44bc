"""Records and traces for tests of what reads them: a base value each, and what differs."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_api.spec.limits import Limits
from tuningsweep_api.trials import Forecast, TrialRecord
from tuningsweep_trainer.results.traces import TracePoint, TraceRecorder, TrialTrace

START = datetime(2026, 1, 1, tzinfo=UTC)
MIB = 1 << 20


def at(seconds: float) -> str:
    """RFC 3339 text of a moment in the sweep."""
    return (START + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def record(index: int, **changes: Any) -> TrialRecord:
    """A trial that trained to its end in ten seconds, with changes."""
    fields: dict[str, Any] = {
        "trial": f"trial-{index:04d}",
        "parameters": {"batch_size": 30, "learning_rate": 0.001},
        "outcome": Outcome.SUCCEEDED,
        "reason": Reason.COMPLETED,
        "metrics": {"validation_loss": 0.5, "mean_step_time_seconds": 0.01},
        "steps": 100,
        "start_time": at(index * 5),
        "completion_time": at(index * 5 + 10),
        "duration_seconds": 10.0,
        "cpu_seconds": 5.0,
        "peak_memory": 200 * MIB,
    }
    return TrialRecord(**(fields | changes))


def trace(trial: str, mean_step_time: float | None = 0.01, **changes: Any) -> TrialTrace:
    """A trace of two looks, with changes."""
    recorder = TraceRecorder()
    recorder.limits(0.0, Limits(memory="400Mi", mean_step_time="50ms", step_time="2s"))
    recorder.look(TracePoint(0.0, 50 * MIB, 0, None, 0.0, 50.0))
    recorder.look(TracePoint(1.0, 100 * MIB, 10, mean_step_time, 0.02, 90.0))
    made = recorder.trace(
        trial=trial, parameters={}, start_time=at(0), duration=2.0, outcome=Outcome.SUCCEEDED, reason=Reason.COMPLETED
    )
    return made.model_copy(update=changes)


def skipped(index: int) -> TrialRecord:
    """A trial that was predicted to exceed the memory limit and never started."""
    forecast = Forecast(
        reason=Reason.MEMORY_LIMIT_EXCEEDED,
        predicted=400.0 * MIB,
        lower=350.0 * MIB,
        upper=450.0 * MIB,
        limit=250.0 * MIB,
        based_on=["trial-0000"],
    )
    return record(
        index,
        outcome=Outcome.SKIPPED,
        reason=Reason.PREDICTED_OVER_LIMIT,
        metrics={},
        steps=0,
        start_time=None,
        completion_time=at(index // 3 * 4.5 + 1),
        duration_seconds=0.0,
        cpu_seconds=0.0,
        peak_memory=0,
        attempts=0,
        forecast=forecast,
    )
