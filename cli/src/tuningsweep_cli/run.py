"""`tuningsweep run`: the driver of the cluster on an embedded Ray, with a person in the operator's place."""

import os
import tempfile
import threading
from pathlib import Path

from rich.console import Console

from tuningsweep_api.messages import SweepState
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import TrialRecord
from tuningsweep_cli.consoles import console as make_console
from tuningsweep_cli.display import Display, LiveTable, PlainLines, print_summary
from tuningsweep_cli.exits import CommandError, Exit
from tuningsweep_cli.manifest import load_sweep
from tuningsweep_cli.workspace import close_workspace, workspace


def run_locally(file: Path, results: Path | None, *, fresh: bool, progress: bool) -> Exit:
    """Run the sweep in a manifest; the exit code. CommandError for what can't be run."""
    console = make_console(lasting=True)
    sweep = load_sweep(file)
    folder = (results or Path("results") / sweep.metadata.name).resolve()
    with workspace(sweep, folder, fresh=fresh) as (named, resumes):
        if resumes:
            console.print(f"going on with the unfinished run in {folder}", highlight=False, soft_wrap=True)
        return _run_in(folder, named, console, file.resolve().parent, progress=progress)


def _run_in(folder: Path, sweep: TuningSweep, console: Console, manifest_folder: Path, *, progress: bool) -> Exit:
    display: Display = LiveTable(sweep, console) if console.is_terminal and progress else PlainLines(sweep, console)
    state = _run(sweep, folder, display, manifest_folder)
    if state is None:
        console.print(f"\ninterrupted; the same command goes on with {folder}", highlight=False, soft_wrap=True)
        return Exit.INTERRUPTED
    close_workspace(folder, state.model_dump_json(by_alias=True, indent=1))
    print_summary(sweep, state, _records(folder), console, str(folder))
    return Exit.COMPLETE if state.result is not None and state.result.succeeded else Exit.FAILED


def _run(sweep: TuningSweep, folder: Path, display: Display, manifest_folder: Path) -> SweepState | None:
    """The sweep's last state; None if it was interrupted. Logs go to driver.log beside the results."""
    from tuningsweep_trainer.driver.options import DriverOptions
    from tuningsweep_trainer.driver.ray_session import RayStartError
    from tuningsweep_trainer.driver.run import InterruptedSweepError, run_sweep
    from tuningsweep_trainer.tracking.setup import make_listeners

    _log_to(folder / "driver.log", sweep)
    os.environ.setdefault("RAY_DEDUP_LOGS", "0")
    leave_now = threading.Event()
    listeners = [display, *make_listeners(sweep, str(folder), leave_now=leave_now)]
    with tempfile.TemporaryDirectory(prefix="ts-", ignore_cleanup_errors=True) as scratch, display:
        options = DriverOptions(
            results=str(folder),
            python_path=(str(Path.cwd()), str(manifest_folder)),
            ray_temp_dir=scratch,
            listeners=listeners,
            on_state=display.show,
            log_to_driver=False,
            leave_now=leave_now,
            deadline_seconds=sweep.spec.active_deadline_seconds,
        )
        try:
            return run_sweep(sweep, options)
        except (InterruptedSweepError, KeyboardInterrupt):
            return None
        except RayStartError as error:
            raise CommandError(str(error), Exit.FAILED) from error


def _log_to(path: Path, sweep: TuningSweep) -> None:
    from tuningsweep_trainer.logs import configure_logging

    stream = path.open("a", encoding="utf-8")
    configure_logging(sweep=sweep.metadata.name, namespace=sweep.metadata.namespace, stream=stream)


def _records(folder: Path) -> list[TrialRecord]:
    from tuningsweep_trainer.results.ledger import Ledger
    from tuningsweep_trainer.results.store import open_store

    return list(Ledger(open_store(str(folder))).load().records)
