"""From what happens to a sweep to names and values in MLflow; pure functions, called by the listener and the sink."""

import json
import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from tuningsweep_api.messages import SweepState
from tuningsweep_api.outcomes import Outcome
from tuningsweep_api.spec.limits import Limits
from tuningsweep_api.spec.sweep import TuningSweep, TuningSweepSpec
from tuningsweep_api.spec.trainable import SYSTEM_METRICS
from tuningsweep_api.trials import Metrics, ParameterValue, TrialRecord
from tuningsweep_trainer.tracking.events import TrackingEvent

TAG_UID: Final = "tuningsweep.uid"
TAG_TRIAL: Final = "tuningsweep.trial"
TAG_SWEEP: Final = "tuningsweep.sweep"
SYSTEM: Final = "system/"
"""What MLflow shows under "System metrics"."""
STATUS: Final = {Outcome.FAILED: "FAILED", Outcome.LIMIT_EXCEEDED: "KILLED", Outcome.STOPPED: "KILLED"}
"""MLflow's run status by outcome; FINISHED for the others."""


LONGEST_NAME: Final = 250
"""Characters of a metric's, a parameter's or a tag's name."""
_NO_LETTER: Final = re.compile(r"[^\w\-. :/]")


def recordable(name: str) -> str:
    """The nearest name that MLflow takes for a metric, parameter or tag: `acc@1` is acc_1 there.

    It allows letters, digits and `_-. :/`, and names that are paths without empty parts, `.` and `..`; it refuses all that
    comes in one request with a name of another kind.
    """
    parts = [part for part in _NO_LETTER.sub("_", name).split("/") if part not in ("", ".", "..")]
    return "/".join(parts)[:LONGEST_NAME].rstrip("/") or "_"


def texts(values: Mapping[str, ParameterValue]) -> dict[str, str]:
    """Parameters as MLflow keeps them."""
    return {recordable(name): str(value) for name, value in values.items()}


def reported_metrics(metrics: Metrics, objectives: Collection[str]) -> Metrics:
    """Metrics of a report; those that the supervisor measures are system metrics, objectives keep their own names too."""
    named = {f"{SYSTEM}{name}" if name in SYSTEM_METRICS else name: value for name, value in metrics.items()}
    named |= {name: value for name, value in metrics.items() if name in objectives}
    return {recordable(name): value for name, value in named.items()}


def trial_ended(record: TrialRecord) -> TrackingEvent:
    """A trial's one record: outcome, reason, observed and limit as tags, what it used as metrics, the end of its run."""
    facts: dict[str, object] = {
        "outcome": record.outcome,
        "reason": record.reason,
        "message": record.message,
        "observed": record.observed,
        "limit": record.limit,
        "attempts": record.attempts,
    }
    used = {
        "duration_seconds": record.duration_seconds,
        "cpu_seconds": record.cpu_seconds,
        "peak_memory_bytes": float(record.peak_memory),
    }
    if record.peak_gpu_memory is not None:
        used["peak_gpu_memory_bytes"] = float(record.peak_gpu_memory)
    return TrackingEvent.now(
        "ended",
        trial=record.trial,
        step=record.steps,
        parameters=texts(record.parameters),
        tags={f"tuningsweep.{name}": str(value) for name, value in facts.items() if value not in (None, "")},
        metrics={f"{SYSTEM}{name}": value for name, value in used.items()},
        status=STATUS.get(record.outcome, "FINISHED"),
        time_ms=milliseconds(record.completion_time),
        start_ms=None if record.start_time is None else milliseconds(record.start_time),
    )


def sweep_ended(state: SweepState) -> TrackingEvent:
    """A sweep's result on the parent run: reason, message, counts by outcome, the best trial, the Pareto front."""
    assert state.result is not None
    tags = {"tuningsweep.reason": str(state.result.reason), "tuningsweep.message": state.result.message}
    metrics = {f"trials/{name}": float(count) for name, count in state.trials.dump().items() if isinstance(count, int)}
    best = state.optimal_trial
    if best is not None:
        tags["tuningsweep.best.trial"] = best.trial
        tags |= {f"tuningsweep.best.{name}": value for name, value in texts(best.parameters).items()}
    if state.pareto_front:
        tags["tuningsweep.paretoFront"] = ", ".join(trial.trial for trial in state.pareto_front)
    status = "FINISHED" if state.result.succeeded else "FAILED"
    return TrackingEvent.now("sweep", tags=tags, metrics=metrics, status=status)


def limit_tags(limits: Limits) -> dict[str, str]:
    """Limits in force, as the spec writes them."""
    return {f"tuningsweep.limits.{name}": str(value) for name, value in limits.dump().items()}


def sweep_parameters(spec: TuningSweepSpec) -> dict[str, str]:
    """What the parent run says of the search; only what can't be edited, since MLflow's parameters can't be either."""
    trainable: dict[str, Any] = {"function": spec.trainable.function}
    if spec.trainable.builtin is not None:
        trainable = spec.trainable.builtin.model_dump(
            mode="json", by_alias=True, include={"model", "task", "steps", "seed"}
        )
    elif spec.trainable.command is not None:
        trainable = {"command": spec.trainable.command[0]}
    parts: dict[str, dict[str, Any]] = {
        "objective": spec.objective.dump(),
        "search": spec.search.dump(),
        "scheduler": spec.scheduler.dump(),
        "trainable": trainable,
        "space": {p.name: p.feasible_space.dump() for p in spec.parameters},
        "arguments": dict(spec.trainable.arguments),
    }
    return {
        recordable(f"{part}.{name}"): value if isinstance(value, str) else json.dumps(value)
        for part, fields in parts.items()
        for name, value in fields.items()
    }


def sweep_tags(sweep: TuningSweep) -> dict[str, str]:
    """Tags of the parent run at its start; counts may be edited, so they are no parameters."""
    spec = sweep.spec
    return {
        TAG_UID: sweep.metadata.uid,
        TAG_TRIAL: "",
        TAG_SWEEP: sweep.metadata.name,
        "tuningsweep.namespace": sweep.metadata.namespace,
        "tuningsweep.parallelTrialCount": str(spec.parallel_trial_count),
        "tuningsweep.maxTrialCount": str(spec.max_trial_count),
        **limit_tags(spec.limits),
    }


def milliseconds(timestamp: str) -> int:
    """Unix time of an RFC 3339 timestamp."""
    return int(datetime.fromisoformat(timestamp).timestamp() * 1000)
