"""The tables of the report: every trial, and those that did not train to their end with the reason. Pure.

A cell is a value, or for a value with a unit of its own a pair of what it is sorted by and what is shown.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tuningsweep_api.outcomes import Outcome
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import ParameterValue, TrialRecord
from tuningsweep_trainer.report import words
from tuningsweep_trainer.report.figures.figure import Column, compact, mebibytes
from tuningsweep_trainer.report.rows import TrialRow, front_rows, milliseconds
from tuningsweep_trainer.report.savings import Saving

STOPS: Final = (Outcome.LIMIT_EXCEEDED, Outcome.FAILED, Outcome.STOPPED, Outcome.SKIPPED, Outcome.PRUNED)
"""Outcomes other than success, in the order of the table of stops."""


@dataclass(frozen=True)
class Table:
    """Columns and rows of cells."""

    columns: list[Column]
    rows: list[list[Any]]


def trials_table(rows: Sequence[TrialRow], sweep: TuningSweep) -> Table:
    """Every trial that started."""
    names, objective = parameter_names(rows, sweep), sweep.spec.objective
    others = [each.objective_metric_name for each in objective.additional_objectives]
    columns = [
        Column("trial", "trial"),
        Column("outcome", "outcome", "outcome"),
        *(Column(f"p{index}", name, "parameter") for index, name in enumerate(names)),
        Column("objective", objective.objective_metric_name, "number"),
        *(Column(f"o{index}", name, "number") for index, name in enumerate(others)),
        *([Column("front", "on the front", "flag")] if others else []),
        Column("memory", "highest memory", "mebibytes"),
        Column("step", "mean step time", "milliseconds"),
        Column("steps", "steps", "number"),
        Column("cpu", "CPU time", "seconds"),
        Column("duration", "duration", "seconds"),
        Column("start", "start (UTC)", "time"),
        Column("attempts", "attempts", "number"),
    ]
    front = {row.trial for row in front_rows(rows, objective)} if others else set()
    return Table(columns, [_trial_cells(row, names, _others(row, others, front)) for row in rows])


def stops_table(rows: Sequence[TrialRow], sweep: TuningSweep, savings: Mapping[str, Saving]) -> Table:
    """Trials that ended otherwise than by training to their end: limits first, pruned ones last, of each the newest first."""
    names = parameter_names(rows, sweep)
    columns = [
        Column("trial", "trial"),
        Column("outcome", "outcome", "outcome"),
        Column("reason", "reason"),
        Column("observed", "observed", "number"),
        Column("limit", "limit", "number"),
        *(Column(f"p{index}", name, "parameter") for index, name in enumerate(names)),
        Column("time", "stopped at (UTC)", "time"),
        Column("steps", "steps", "number"),
        Column("cpu", "CPU time used", "seconds"),
        Column("saved", "CPU time saved (estimate)", "number"),
        Column("message", "message", "long"),
    ]
    stopped = [row for outcome in STOPS for row in reversed(rows) if row.outcome == outcome]
    return Table(columns, [_stop_cells(row, names, savings.get(row.trial)) for row in stopped])


def parameter_names(rows: Sequence[TrialRow], sweep: TuningSweep) -> list[str]:
    """Those of the spec in its order, then any others that trials have."""
    names = {parameter.name: None for parameter in sweep.spec.parameters}
    return list(names | {name: None for row in rows for name in row.parameters})


def _parameters(values: Mapping[str, ParameterValue], names: Sequence[str]) -> list[ParameterValue | None]:
    return [values.get(name) for name in names]


def _others(row: TrialRow, others: Sequence[str], front: Collection[str]) -> list[Any]:
    """A trial's objectives beside the first one, and whether it is on the front; nothing with one objective."""
    if not others:
        return []
    metrics = {} if row.record is None else row.record.metrics
    values = [(metrics.get(name), name) for name in others]
    cells = [None if value is None else [value, words.metric_value(name, value)] for value, name in values]
    return [*cells, row.trial in front]


def _trial_cells(row: TrialRow, names: Sequence[str], others: Sequence[Any]) -> list[Any]:
    record = row.record
    return [
        row.trial,
        row.outcome,
        *_parameters(row.parameters, names),
        row.objective,
        *others,
        mebibytes(row.memory),
        None if row.step is None else compact(row.step * 1000, 4),
        *([record.steps, record.cpu_seconds, record.duration_seconds] if record is not None else [None] * 3),
        row.start,
        record.attempts if record is not None else None,
    ]


def _stop_cells(row: TrialRow, names: Sequence[str], saving: Saving | None) -> list[Any]:
    record = row.record
    assert record is not None
    return [
        row.trial,
        row.outcome,
        str(record.reason),
        _observed(record),
        _limit(record),
        *_parameters(row.parameters, names),
        milliseconds(record.completion_time),
        record.steps,
        record.cpu_seconds,
        None if saving is None else [saving.low, _saving_words(saving)],
        record.message,
    ]


def _observed(record: TrialRecord) -> list[Any] | None:
    forecast = record.forecast
    if record.observed is None and forecast is not None:
        low, high = (words.in_unit_of(forecast.reason, value) for value in (forecast.lower, forecast.upper))
        return [forecast.predicted, f"forecast {low} to {high}"]
    return None if record.observed is None else [record.observed, words.in_unit_of(record.reason, record.observed)]


def _limit(record: TrialRecord) -> list[Any] | None:
    if record.limit is None and record.forecast is not None:
        return [record.forecast.limit, words.in_unit_of(record.forecast.reason, record.forecast.limit)]
    return None if record.limit is None else [record.limit, words.in_unit_of(record.reason, record.limit)]


def _saving_words(saving: Saving) -> str:
    low, high = words.seconds(saving.low), words.seconds(saving.high)
    return low if low == high else f"{low} to {high}"
