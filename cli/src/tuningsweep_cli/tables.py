"""Trials and sweeps as tables for people; pure, so that run, watch, trials and list show the same."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tuningsweep_api.outcomes import LIMIT_REASONS, Outcome
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import RunningTrial, TrialCounts, TrialRecord
from tuningsweep_cli import text

STYLES = {
    Outcome.SUCCEEDED: "green",
    Outcome.LIMIT_EXCEEDED: "yellow",
    Outcome.PRUNED: "cyan",
    Outcome.STOPPED: "magenta",
    Outcome.FAILED: "red",
    Outcome.SKIPPED: "dim",
}
WIDE_COLUMNS = ("attempts", "duration", "cpu", "ended", "message")


def new_table(*titles: str) -> Table:
    """An empty table as kubectl would draw it."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        table.add_column(title, overflow="fold")
    return table


def sweep_view(
    sweep: TuningSweep, counts: TrialCounts, running: Sequence[RunningTrial], ended: Sequence[TrialRecord]
) -> RenderableType:
    """Progress bar and table of a sweep; ended trials newest first."""
    done = counts.total - counts.pending - counts.running
    expected = max(sweep.spec.max_trial_count, counts.total)
    head = Table.grid(padding=(0, 1))
    words = f"{sweep.metadata.name}: {done}/{expected} trials, {counts.succeeded} succeeded"
    head.add_row(
        ProgressBar(total=expected, completed=done, width=30), f"{words}, {counts.limit_exceeded} over a limit"
    )
    return Group(head, trials_table(sweep, running, list(reversed(ended))))


def trials_table(
    sweep: TuningSweep, running: Sequence[RunningTrial], records: Sequence[TrialRecord], *, wide: bool = False
) -> Table:
    """Running trials first, then records in their order."""
    objective = sweep.spec.objective.objective_metric_name
    columns = ("trial", "parameters", "steps", "memory", "mean step", objective, "outcome")
    table = new_table(*columns, *(WIDE_COLUMNS if wide else ()))
    for trial in running:
        table.add_row(*_running_row(sweep, trial, objective))
    for record in records:
        table.add_row(*_ended_row(record, objective), *(_wide_cells(record) if wide else ()))
    return table


def _running_row(sweep: TuningSweep, trial: RunningTrial, objective: str) -> tuple[str | Text, ...]:
    limit = sweep.spec.limits.memory_bytes
    if trial.held:
        return (
            trial.trial,
            Text(text.parameters(trial.parameters)),
            "",
            "",
            "",
            "",
            Text(f"held: {trial.held}", "dim"),
        )
    return (
        trial.trial,
        Text(text.parameters(trial.parameters)),
        str(trial.steps),
        text.memory(trial.memory) + ("" if limit is None else f"/{text.memory(limit)}"),
        text.seconds(trial.mean_step_time),
        text.number(trial.metrics.get(objective)),
        "running",
    )


def _ended_row(record: TrialRecord, objective: str) -> tuple[str | Text, ...]:
    return (
        record.trial,
        Text(text.parameters(record.parameters)),
        str(record.steps),
        text.memory(record.peak_memory or None),
        text.seconds(record.metrics.get("mean_step_time_seconds")),
        text.number(record.metrics.get(objective)),
        Text(outcome_words(record), style=STYLES[record.outcome]),
    )


def _wide_cells(record: TrialRecord) -> tuple[str | Text, ...]:
    return (
        str(record.attempts),
        text.seconds(record.duration_seconds),
        text.seconds(record.cpu_seconds),
        record.completion_time,
        Text(record.message),
    )


def outcome_words(record: TrialRecord) -> str:
    """Outcome, and for a limit what was observed against it."""
    if record.reason not in LIMIT_REASONS:
        return str(record.outcome) if record.outcome is not Outcome.FAILED else f"Failed: {record.reason}"
    observed, limit = (text.in_unit_of(record.reason, value) for value in (record.observed, record.limit))
    return f"{record.reason}: {observed} > {limit}"
