"""One row for each trial, ended or running: what figures and tables of the report are made of. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from tuningsweep_api.optimal import pareto_front
from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_api.pareto import front
from tuningsweep_api.spec.objective import Objective
from tuningsweep_api.trials import ParameterValue, TrialRecord
from tuningsweep_trainer.report.gather import Results
from tuningsweep_trainer.report.savings import mean_step_seconds
from tuningsweep_trainer.report.slots import assign_slots
from tuningsweep_trainer.results.ledger import Unfinished
from tuningsweep_trainer.results.traces import TrialTrace

RUNNING: Final = "Running"
"""Stands where ended trials have an outcome."""
LEAST_OPEN: Final = 600_000
"""Milliseconds that an unfinished trial is drawn on beyond the last thing on record."""
KEPT: Final = (Outcome.SUCCEEDED, Outcome.PRUNED)
"""Outcomes of trials that kept the limits, so that their objective counts."""


@dataclass(frozen=True, slots=True)
class TrialRow:
    """A trial as figures show it. Times are milliseconds since the epoch, durations seconds, memory bytes."""

    trial: str
    outcome: str
    """An Outcome, or RUNNING."""
    parameters: dict[str, ParameterValue]
    record: TrialRecord | None = None
    order: int | None = None
    """Place in the order of ends, from 1."""
    objective: float | None = None
    memory: int | None = None
    """Highest memory seen."""
    step: float | None = None
    """Mean step time."""
    start: int | None = None
    end: int | None = None
    """For a running trial the time of the report, or less where the record ends long before."""
    slot: int | None = None
    """Row of the timeline."""

    @property
    def kept(self) -> bool:
        """Whether it ended within the limits."""
        return self.outcome in KEPT


def trial_rows(results: Results) -> list[TrialRow]:
    """Ended trials in the order of their end, then those that are running; trials that wait have no row."""
    name = results.sweep.spec.objective.objective_metric_name
    open_end = _open_end(results)
    rows = [
        _ended(record, order, name, results.traces.get(record.trial, ()))
        for order, record in enumerate(results.records, start=1)
    ]
    rows += [
        _running(trial, started, results.traces.get(trial, ()), open_end)
        for trial, started in results.unfinished.items()
        if started.attempts
    ]
    placed = [index for index, row in enumerate(rows) if row.start is not None and row.end is not None]
    slots = assign_slots(
        [(float(rows[index].start or 0), float(rows[index].end or 0)) for index in placed],
        [_only_worker(rows[index].record) for index in placed],
    )
    for index, slot in zip(placed, slots, strict=True):
        rows[index] = replace(rows[index], slot=slot)
    return rows


def best_so_far(rows: Sequence[TrialRow], objective: Objective) -> list[tuple[int, float]]:
    """(order, objective) each time a trial that kept the limits is better than all before it."""
    sign = objective.sign
    found: list[tuple[int, float]] = []
    for row in rows:
        if not row.kept or row.objective is None or row.order is None:
            continue
        if not found or sign * row.objective < sign * found[-1][1]:
            found.append((row.order, row.objective))
    return found


def best_row(rows: Sequence[TrialRow], objective: Objective) -> TrialRow | None:
    """The best trial among those that kept the limits; the earlier one of equals."""
    return next(iter(front_rows(rows, objective)), None)


def front_rows(rows: Sequence[TrialRow], objective: Objective) -> list[TrialRow]:
    """Trials that kept the limits and that no other such trial beats in every objective, the best by the first one first."""
    ended = {row.trial: row for row in rows if row.record is not None and row.objective is not None}
    front = pareto_front(objective, [row.record for row in ended.values() if row.record is not None])
    return [ended[trial.trial] for trial in front]


def pareto_rows(rows: Sequence[TrialRow], objective: Objective) -> list[TrialRow]:
    """Trials that kept the limits and that no other such trial beats in both memory and objective, by memory."""
    sign = objective.sign
    candidates = [(row, row.memory, row.objective) for row in rows if row.kept]
    complete = [(row, float(m), sign * o) for row, m, o in candidates if m is not None and o is not None]
    return [complete[index][0] for index in front([(memory, value) for _, memory, value in complete])]


def milliseconds(text: str | None) -> int | None:
    """RFC 3339 as milliseconds since the epoch; None for what is not a time."""
    try:
        return None if not text else _milliseconds(datetime.fromisoformat(text))
    except ValueError:
        return None


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _open_end(results: Results) -> int:
    """Where bars of unfinished trials end: now, but of a run that was broken off long ago at most twice its known time."""
    known = [milliseconds(time) for record in results.records for time in (record.start_time, record.completion_time)]
    known += [milliseconds(trial.first_start) for trial in results.unfinished.values()]
    times = [time for time in known if time is not None]
    now = _milliseconds(results.now)
    if not times:
        return now
    return min(now, max(times) + max(max(times) - min(times), LEAST_OPEN))


def _only_worker(record: TrialRecord | None) -> str | None:
    """The worker that ran the whole trial, if one is known that did."""
    return record.worker if record is not None and record.attempts == 1 else None


def _ended(record: TrialRecord, order: int, objective: str, traces: Sequence[TrialTrace]) -> TrialRow:
    return TrialRow(
        trial=record.trial,
        outcome=record.outcome,
        parameters=record.parameters,
        record=record,
        order=order,
        objective=_finite(record.metrics, objective),
        memory=record.peak_memory or None,
        step=_step(record, traces),
        start=milliseconds(record.start_time),
        end=milliseconds(record.completion_time),
    )


def _step(record: TrialRecord, traces: Sequence[TrialTrace]) -> float | None:
    if record.reason is Reason.STEP_TIME_LIMIT_EXCEEDED and record.steps == 0:
        return record.observed  # a first step that hung is all that is known of it
    return mean_step_seconds(record, traces)


def _running(trial: str, started: Unfinished, traces: Sequence[TrialTrace], open_end: int) -> TrialRow:
    points = [point for trace in traces for point in trace.points]
    reports = [report for trace in traces for report in trace.reports]
    means = [point.mean_step_time for point in points if point.mean_step_time is not None]
    start = milliseconds(started.first_start)
    return TrialRow(
        trial=trial,
        outcome=RUNNING,
        parameters=started.parameters,
        objective=reports[-1].objective if reports else None,
        memory=max((point.memory for point in points), default=None),
        step=means[-1] if means else None,
        start=start,
        end=None if start is None else max(start, open_end),
    )


def _finite(metrics: Mapping[str, float], name: str) -> float | None:
    value = metrics.get(name)
    return value if value is not None and math.isfinite(value) else None
