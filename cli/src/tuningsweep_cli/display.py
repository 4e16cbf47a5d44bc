"""What `tuningsweep run` shows: a live table with a progress bar on a terminal, lines elsewhere, a summary at the end."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from tuningsweep_api.messages import SweepState
from tuningsweep_api.optimal import objectives_of
from tuningsweep_api.outcomes import LIMIT_REASONS, Outcome
from tuningsweep_api.spec.objective import Objective
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import Metrics, OptimalTrial, ParameterValue, TrialRecord
from tuningsweep_cli import text
from tuningsweep_cli.tables import sweep_view, trials_table

ROWS = 12
"""Ended trials shown below the running ones."""
SUMMARY_ROWS = 50
"""Trials named one by one in each part of the summary."""


class Display(Protocol):
    """Shows a sweep while it runs; also a TrialListener."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, state: SweepState) -> None:
        """Called about twice a second."""

    def trial_started(self, name: str, parameters: dict[str, ParameterValue]) -> None:
        """A trial starts."""

    def trial_reported(self, name: str, metrics: Metrics, step: int) -> None:
        """A trial reported."""

    def trial_ended(self, record: TrialRecord) -> None:
        """A trial has ended."""

    def sweep_ended(self, state: SweepState) -> None:
        """The sweep has ended."""


class LiveTable:
    """A table that is redrawn in place."""

    def __init__(self, sweep: TuningSweep, console: Console) -> None:
        self._sweep, self._console = sweep, console
        self._ended: list[TrialRecord] = []
        self._live = Live(console=console, refresh_per_second=4, transient=True)
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._live.start()
        self._live.update(Text("starting Ray and loading data ..."))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, state: SweepState) -> None:
        """Redraw."""
        with self._lock:
            ended = list(self._ended)
        self._live.update(sweep_view(self._sweep, state.trials, state.running, ended))

    def trial_started(self, name: str, parameters: dict[str, ParameterValue]) -> None:
        """Shown with the next state."""

    def trial_reported(self, name: str, metrics: Metrics, step: int) -> None:
        """Shown with the next state."""

    def trial_ended(self, record: TrialRecord) -> None:
        """Remember it for the table."""
        with self._lock:
            self._ended = [*self._ended, record][-ROWS:]

    def sweep_ended(self, state: SweepState) -> None:
        """Shown in the summary."""


class PlainLines:
    """A line for each start and end of a trial, for logs and pipes."""

    def __init__(self, sweep: TuningSweep, console: Console) -> None:
        self._sweep, self._console = sweep, console

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def show(self, state: SweepState) -> None:
        """Nothing between events."""

    def trial_started(self, name: str, parameters: dict[str, ParameterValue]) -> None:
        """A line."""
        self._console.print(
            f"{name} started: {text.parameters(parameters)}", highlight=False, markup=False, soft_wrap=True
        )

    def trial_reported(self, name: str, metrics: Metrics, step: int) -> None:
        """Nothing: trials report often."""

    def trial_ended(self, record: TrialRecord) -> None:
        """A line."""
        why = record.message or record.reason
        self._console.print(f"{record.trial} {record.outcome}: {why}", highlight=False, markup=False, soft_wrap=True)

    def sweep_ended(self, state: SweepState) -> None:
        """Shown in the summary."""


def print_summary(
    sweep: TuningSweep, state: SweepState, records: list[TrialRecord], console: Console, place: str
) -> None:
    """What ran, what was stopped and why, what was not worth its time, the best trial, where the results are."""
    from tuningsweep_trainer.report.efficiency import inefficiencies  # NumPy, which `--help` can do without

    console.print(trials_table(sweep, [], records[-SUMMARY_ROWS:]))
    _print_some(records, lambda record: record.reason in LIMIT_REASONS, "were stopped at a limit", console)
    _print_some(records, lambda record: record.outcome is Outcome.FAILED, "failed", console)
    for case in inefficiencies(sweep.spec, records):
        line = f"\nnot worth its time: {case.sentence()}"
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    _print_best(sweep.spec.objective, state, console)
    result = state.result
    if result is not None:
        word = "Complete" if result.succeeded else "Failed"
        style = "green" if result.succeeded else "red"
        console.print(
            f"{word} ({result.reason}): {result.message}", style=style, highlight=False, markup=False, soft_wrap=True
        )
    console.print(f"results: {place}", highlight=False, markup=False, soft_wrap=True)


def _print_best(objective: Objective, state: SweepState, console: Console) -> None:
    """The best trial; with several objectives the Pareto front too."""
    if state.optimal_trial is not None:
        line = f"\nbest: {_achieved(objective, state.optimal_trial)}"
        console.print(line, style="bold", highlight=False, markup=False)
    if state.pareto_front:
        shown = "" if len(state.pareto_front) == state.pareto_front_size else f", {len(state.pareto_front)} of them"
        heading = f"Pareto front of {state.pareto_front_size} trials, no other is better in every objective{shown}:"
        console.print(heading, style="bold", highlight=False)
    for trial in state.pareto_front:
        console.print(f"  {_achieved(objective, trial)}", highlight=False, markup=False, soft_wrap=True)


def _achieved(objective: Objective, trial: OptimalTrial) -> str:
    return f"{trial.trial} with {text.metrics(objectives_of(objective, trial))} at {text.parameters(trial.parameters)}"


def _print_some(
    records: list[TrialRecord], wanted: Callable[[TrialRecord], bool], words: str, console: Console
) -> None:
    some = [record for record in records if wanted(record)]
    if some:
        heading = f"\n{len(some)} of {len(records)} trials {words}:"
        console.print(heading, style="bold", highlight=False)
    for record in some[:SUMMARY_ROWS]:
        line = f"  {record.trial} ({text.parameters(record.parameters)}): {record.message or record.reason}"
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    if len(some) > SUMMARY_ROWS:
        console.print(f"  and {len(some) - SUMMARY_ROWS} more, see trials.jsonl", highlight=False)
