"""`tuningsweep report`: the report's page from any source of a sweep."""

import json
import tempfile
from pathlib import Path

from tuningsweep_api.names import SWEEP_KEY
from tuningsweep_cli.exits import CommandError
from tuningsweep_cli.source.base import Source
from tuningsweep_cli.source.stored import StoredSource
from tuningsweep_trainer.report.errors import ReportError
from tuningsweep_trainer.report.gather import TRACES_READ, choose_traced
from tuningsweep_trainer.report.write import Written, write_report
from tuningsweep_trainer.results.ledger import Assignment, Ledger
from tuningsweep_trainer.results.store import LocalStore, Store
from tuningsweep_trainer.results.traces import write_trace


def report_on(source: Source, target: Path, *, pngs: bool) -> Written:
    """Write the page (and PNGs beside it); CommandError says what is missing."""
    with tempfile.TemporaryDirectory(prefix="tuningsweep-report-") as folder:
        store = source.store if isinstance(source, StoredSource) else _copied(source, Path(folder))
        try:
            return write_report(source.place, target, pngs=pngs, store=store)
        except ReportError as error:
            raise CommandError(str(error)) from error


def _copied(source: Source, folder: Path) -> Store:
    """What a running driver tells, as results in a folder."""
    store = LocalStore(folder)
    ledger, records = Ledger(store), source.records()
    store.write(SWEEP_KEY, json.dumps(source.sweep.dump()).encode())
    for record in records:
        ledger.record(record)
    running = source.progress().running
    for trial in running:
        ledger.assign(Assignment(trial=trial.trial, parameters=trial.parameters, attempt=1, time=trial.start_time))
    names = [record.trial for record in records]
    for name in choose_traced(names, records, [], TRACES_READ):
        for trace in source.traces(name):
            write_trace(store, trace)
    return store
