"""`tuningsweep watch`: follows a sweep to its end, as a live table or as lines."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from tuningsweep_api.outcomes import Phase
from tuningsweep_api.trials import TrialRecord
from tuningsweep_cli import text
from tuningsweep_cli.exits import CommandError, Exit
from tuningsweep_cli.source.base import Progress, Source
from tuningsweep_cli.tables import STYLES, outcome_words, sweep_view

ROWS: Final = 12
"""Ended trials shown below the running ones."""
FAILURES: Final = 30
"""Looks in a row that may fail before a sweep is no longer followed; about as many seconds."""


class Viewer(Protocol):
    """Shows a sweep's way."""

    def show(self, progress: Progress, new: list[TrialRecord]) -> None:
        """Called with each look, with the trials that have ended since the last one."""


class TableViewer:
    """A table that is redrawn in place."""

    def __init__(self, source: Source, live: Live) -> None:
        self._source, self._live = source, live
        self._ended: list[TrialRecord] = []

    def show(self, progress: Progress, new: list[TrialRecord]) -> None:
        """Redraw."""
        self._ended = [*self._ended, *new][-ROWS:]
        view = sweep_view(self._source.sweep, progress.trials, progress.running, self._ended)
        self._live.update(Group(view, Text(phase_words(progress), style="dim")))


class LineViewer:
    """A line for each trial that ended and each change of phase, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last = ""

    def show(self, progress: Progress, new: list[TrialRecord]) -> None:
        """Print what is new."""
        for record in new:
            line = f"{record.trial} {outcome_words(record)}"
            self._console.print(line, style=STYLES[record.outcome], highlight=False, markup=False, soft_wrap=True)
        words = phase_words(progress)
        if words != self._last and not progress.ended:
            self._console.print(words, highlight=False, markup=False, soft_wrap=True)
        self._last = words


def phase_words(progress: Progress) -> str:
    """Phase and why."""
    return f"{progress.phase}: {progress.message}" if progress.message else str(progress.phase)


def follow(source: Source, viewer: Viewer, wait: Callable[[], None]) -> Progress:
    """Look, show, wait, until the sweep has ended; its last progress.

    A cluster that was there and does not answer is asked again, FAILURES times in a row.
    """
    seen, failures = 0, 0
    last: Progress | None = None
    while True:
        try:
            progress = source.progress()
        except CommandError as error:
            failures += 1
            if last is None or error.code is not Exit.CLUSTER or failures > FAILURES:
                raise
            viewer.show(replace(last, message=str(error)), [])
            wait()
            continue
        last, failures = progress, 0
        new = _new_records(source, seen)
        seen += len(new)
        viewer.show(progress, new)
        if progress.ended:
            return progress
        if progress.interrupted:
            raise CommandError(
                f"the run in {source.place} was interrupted; `tuningsweep run` with its manifest goes on with it",
                Exit.INTERRUPTED,
            )
        wait()


def _new_records(source: Source, seen: int) -> list[TrialRecord]:
    """Trials that have ended since; none while a driver starts or is gone, the progress tells that."""
    try:
        return source.records(seen)
    except CommandError as error:
        if error.code is not Exit.CLUSTER:
            raise
        return []


def watch(source: Source, console: Console, *, table: bool, seconds: float = 1.0) -> Exit:
    """Follow a sweep on a console; the exit code of `run`."""

    def wait() -> None:
        time.sleep(seconds)

    if table:
        with Live(console=console, refresh_per_second=4, transient=True) as live:
            last = follow(source, TableViewer(source, live), wait)
    else:
        last = follow(source, LineViewer(console), wait)
    print_end(source, last, console)
    return Exit.COMPLETE if last.phase is Phase.COMPLETE else Exit.FAILED


def print_end(source: Source, last: Progress, console: Console) -> None:
    """Counts, the best trial, how it ended, what to look at next."""
    name, counts = source.sweep.metadata.name, last.trials
    console.print(
        f"{name}: {counts.total} trials, {counts.succeeded} succeeded, {counts.limit_exceeded} over a limit,"
        f" {counts.pruned} pruned, {counts.stopped} stopped, {counts.failed} failed",
        highlight=False,
        markup=False,
    )
    if last.optimal is not None:
        metric = source.sweep.spec.objective.objective_metric_name
        console.print(
            f"best: {last.optimal.trial} with {metric} {text.number(last.optimal.objective)}"
            f" at {text.parameters(last.optimal.parameters)}",
            style="bold",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
    style = "green" if last.phase is Phase.COMPLETE else "red"
    console.print(phase_words(last), style=style, highlight=False, markup=False, soft_wrap=True)
