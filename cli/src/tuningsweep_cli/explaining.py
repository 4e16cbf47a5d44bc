"""`tuningsweep why`: finds the trial and its traces, prints sentences and plot."""

import shutil

from rich.text import Text

from tuningsweep_api.trials import TrialRecord
from tuningsweep_cli.consoles import console
from tuningsweep_cli.exits import CommandError, Exit
from tuningsweep_cli.source.base import Source
from tuningsweep_cli.tables import STYLES, new_table
from tuningsweep_cli.why import Quantity, curves, deciding_trace, plot, quantity_of, sentences

HEIGHT = 18


def explain(source: Source, trial: str, quantity: str | None, *, whole: bool) -> None:
    """Print why a trial ended; CommandError if it has not, or is none of the sweep's."""
    if quantity is not None and quantity not in set(Quantity):
        raise CommandError(f"--plot {quantity}: write {', '.join(Quantity)}")
    record = _ended(source, trial)
    screen = console()
    table = new_table("", "")
    table.show_header = False
    for title, words in sentences(record):
        table.add_row(
            Text(title, style="bold"), Text(words, style=STYLES[record.outcome] if title == "outcome" else "")
        )
    screen.print(table)
    trace = deciding_trace(source.traces(trial))
    if trace is None or not trace.points:
        screen.print(f"\nno samples of {trial} were kept", style="dim", highlight=False)
        return
    shown = curves(trace, Quantity(quantity) if quantity else quantity_of(record), whole=whole)
    if not shown.values:
        screen.print(f"\n{trial} has no samples of {shown.quantity.value}", style="dim", highlight=False)
        return
    width = min(shutil.get_terminal_size((100, 24)).columns, 120)
    title = f"{trial}: {shown.quantity.value} {'over its whole time' if whole else 'before its end'}"
    screen.print()
    screen.out(plot(shown, title, width, HEIGHT, colour=screen.is_terminal), highlight=False)


def _ended(source: Source, trial: str) -> TrialRecord:
    records = {record.trial: record for record in source.records()}
    if trial in records:
        return records[trial]
    name = source.sweep.metadata.name
    if any(running.trial == trial for running in source.progress().running):
        raise CommandError(f"{trial} is still running; `tuningsweep watch {name}` shows it", Exit.NOT_FOUND)
    raise CommandError(f"{name} has no ended trial {trial!r}; `tuningsweep trials {name}` lists them", Exit.NOT_FOUND)
