"""The tidy data: schemas of the tables and their rows, from what a sweep left on record. Pure.

Written by `collect`, read by figures and claims. Seconds, bytes, and losses as the workloads report them (a regression's
losses in units of its standardised target, `rmse` in the target's own).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import pyarrow as pa

from tuningsweep_api.optimal import optimal_trial
from tuningsweep_api.outcomes import Outcome
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.reproduce.arms import Arm, falsely_skipped
from tuningsweep_trainer.reproduce.workloads import labels
from tuningsweep_trainer.results.traces import TracedReport, TracePoint, TrialTrace

Row = dict[str, Any]

WARMUP_SHARE: Final = 0.1
"""Part of a trial's duration that its means leave out: processes start, first batches are drawn."""
REPORTED: Final = {
    "train_loss": "training_loss",
    "validation_loss": "validation_loss",
    "accuracy": "accuracy",
    "rmse": "rmse",
    "mean_step_seconds": "mean_step_time_seconds",
    "cpu_percent": "cpu_percent",
    "memory_bytes": "memory_bytes",
}
"""Column by metric."""


def _fields(kind: pa.DataType, *names: str) -> list[pa.Field]:
    return [pa.field(name, kind) for name in names]


_WORKLOAD = [*_fields(pa.string(), "workload", "dataset", "model", "task"), pa.field("stand_in", pa.bool_())]
_CONFIGURATION = [
    pa.field("batch_size", pa.int64()),
    pa.field("learning_rate", pa.float64()),
    pa.field("run", pa.int64()),
    pa.field("trial", pa.string()),
]

TRIALS: Final = pa.schema(
    [
        *_WORKLOAD,
        *_CONFIGURATION,
        *_fields(pa.string(), "outcome", "reason"),
        pa.field("steps", pa.int64()),
        *_fields(pa.float64(), "duration_seconds", "cpu_seconds", "train_loss", "validation_loss", "accuracy", "rmse"),
        *_fields(pa.float64(), "mean_step_seconds", "memory_bytes", "peak_memory_bytes", "cpu_percent"),
    ]
)
"""One row a trial of the runs without limits. memory_bytes and mean_step_seconds are means after WARMUP_SHARE."""

SAMPLES: Final = pa.schema(
    [
        *_WORKLOAD,
        *_CONFIGURATION,
        pa.field("step", pa.int64()),
        *_fields(pa.float64(), "elapsed_seconds", *REPORTED),
    ]
)
"""One row a point in a trial's life, of three kinds: every step has its train_loss; at evaluations there is a value in
every column, as reported; between them lie the trace's points, with mean_step_seconds over the steps since the last one."""

SAVINGS: Final = pa.schema(
    [
        *_fields(pa.string(), "workload", "dataset"),
        pa.field("stand_in", pa.bool_()),
        pa.field("arm", pa.string()),
        pa.field("run", pa.int64()),
        *_fields(pa.float64(), "memory_limit_bytes", "mean_step_limit_seconds"),
        *_fields(pa.int64(), "trials", "stopped", "pruned", "skipped", "falsely_skipped"),
        *_fields(pa.float64(), "cpu_seconds", "best_objective", "best_batch_size", "best_learning_rate"),
        *_fields(pa.string(), "objective", "goal"),
    ]
)
"""One row a sweep of the open question."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a sweep left on record."""

    sweep: TuningSweep
    run: int
    records: Sequence[TrialRecord]
    traces: Mapping[str, Sequence[TrialTrace]]
    """By trial, those of its training processes, oldest first."""
    losses: Mapping[str, Sequence[tuple[int, float]]]
    """By trial, the training loss of every step."""


def trial_rows(evidence: Evidence) -> Iterator[Row]:
    """A row of TRIALS for each record."""
    for record in evidence.records:
        points = after_warmup(_points(evidence.traces.get(record.trial, ())), record.duration_seconds)
        metrics = {column: record.metrics.get(metric) for column, metric in REPORTED.items()}
        yield {
            **_identity(evidence, record),
            **metrics,
            "outcome": record.outcome.value,
            "reason": record.reason.value,
            "steps": record.steps,
            "duration_seconds": record.duration_seconds,
            "cpu_seconds": record.cpu_seconds,
            "mean_step_seconds": mean_step(points) or metrics["mean_step_seconds"],
            "memory_bytes": mean_memory(points) or metrics["memory_bytes"],
            "peak_memory_bytes": float(record.peak_memory),
            "cpu_percent": 100 * record.cpu_seconds / record.duration_seconds if record.duration_seconds > 0 else None,
        }


def sample_rows(evidence: Evidence) -> Iterator[Row]:
    """The rows of SAMPLES, trial by trial."""
    for record in evidence.records:
        identity = _identity(evidence, record)
        traces = evidence.traces.get(record.trial, ())
        reports = {report.step: report for trace in traces for report in trace.reports}
        losses = dict(evidence.losses.get(record.trial, ()))
        objective = evidence.sweep.spec.objective.objective_metric_name
        for step in sorted({*losses, *reports}):
            yield {**identity, "step": step, **_evaluated(reports.get(step), objective), **_loss(losses, step)}
        for trace in traces:
            yield from ({**identity, **row} for row in point_rows(trace.points))


def savings_row(evidence: Evidence, arm: Arm, unlimited: Sequence[TrialRecord]) -> Row:
    """The row of SAVINGS of a sweep, beside the records of the same run without limits.

    The best is among the trials that were trained within the limits.
    """
    sweep = evidence.sweep
    objective, limits = sweep.spec.objective, sweep.spec.limits
    best = optimal_trial(objective, evidence.records)
    outcomes = [record.outcome for record in evidence.records]
    found = labels(sweep)
    return {
        "workload": found.workload,
        "dataset": found.dataset,
        "stand_in": found.stand_in,
        "arm": arm.value,
        "run": evidence.run,
        "memory_limit_bytes": limits.memory_bytes,
        "mean_step_limit_seconds": limits.mean_step_seconds,
        "trials": len(outcomes),
        "stopped": outcomes.count(Outcome.LIMIT_EXCEEDED),
        "pruned": outcomes.count(Outcome.PRUNED),
        "skipped": outcomes.count(Outcome.SKIPPED),
        "falsely_skipped": len(falsely_skipped(evidence.records, unlimited, limits)),
        "cpu_seconds": sum(record.cpu_seconds for record in evidence.records),
        "best_objective": None if best is None else best.objective,
        "best_batch_size": None if best is None else float(best.parameters["batch_size"]),
        "best_learning_rate": None if best is None else float(best.parameters["learning_rate"]),
        "objective": objective.objective_metric_name,
        "goal": objective.type.value,
    }


def point_rows(points: Iterable[TracePoint]) -> Iterator[Row]:
    """A trace's points while the process lived; step time is over the steps since the point before."""
    before: TracePoint | None = None
    for point in points:
        if point.memory <= 0:
            continue
        step = None if before is None else step_between(before, point)
        yield {
            "step": point.steps,
            "elapsed_seconds": point.seconds,
            "mean_step_seconds": step,
            "cpu_percent": point.cpu_percent,
            "memory_bytes": float(point.memory),
        }
        before = point


def step_between(first: TracePoint, last: TracePoint) -> float | None:
    """Mean wall time in seconds of the steps finished between two points; None if there were none."""
    steps = last.steps - first.steps
    return (last.step_seconds - first.step_seconds) / steps if steps > 0 else None


def after_warmup(points: Sequence[TracePoint], duration: float) -> list[TracePoint]:
    """The points after WARMUP_SHARE of the duration (seconds); all of them where fewer than two would be left."""
    kept = [point for point in points if point.seconds >= WARMUP_SHARE * duration]
    return kept if len(kept) > 1 else list(points)


def mean_step(points: Sequence[TracePoint]) -> float | None:
    """Mean wall time of the steps from the first point to the last, seconds."""
    return step_between(points[0], points[-1]) if len(points) > 1 else None


def mean_memory(points: Sequence[TracePoint]) -> float | None:
    """Mean memory of the points, bytes."""
    return sum(point.memory for point in points) / len(points) if points else None


def _points(traces: Sequence[TrialTrace]) -> list[TracePoint]:
    """Of the trial's last process, which has the most of it; an interrupted reproduction leaves a second one."""
    return [point for point in traces[-1].points if point.memory > 0] if traces else []


def _identity(evidence: Evidence, record: TrialRecord) -> Row:
    return {
        **asdict(labels(evidence.sweep)),
        "batch_size": int(record.parameters["batch_size"]),
        "learning_rate": float(record.parameters["learning_rate"]),
        "run": evidence.run,
        "trial": record.trial,
    }


def _evaluated(report: TracedReport | None, objective: str) -> Row:
    if report is None:
        return {}
    metrics = {**report.additional, objective: report.objective}
    return {"elapsed_seconds": report.seconds, **{column: metrics.get(name) for column, name in REPORTED.items()}}


def _loss(losses: Mapping[int, float], step: int) -> Row:
    return {"train_loss": losses[step]} if step in losses else {}
