"""Runs one sweep of the reproduction by the driver of `tuningsweep run`, on the Ray that is running, unless it has ended.

A sweep that was interrupted goes on where its ledger says; one that has ended is left alone.
"""

import json
from pathlib import Path

from tuningsweep_api.messages import SweepState
from tuningsweep_api.model import Model
from tuningsweep_api.names import RESULT_KEY, SWEEP_KEY
from tuningsweep_api.outcomes import ConditionReason
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.driver.options import DriverOptions
from tuningsweep_trainer.driver.run import run_sweep
from tuningsweep_trainer.results.store import LocalStore


class OtherSettingsError(Exception):
    """The folder holds a sweep that was run with other settings; the message says what to do."""


class SweepFailedError(Exception):
    """A sweep did not succeed; the message says where its results are and why."""


def has_ended(folder: Path) -> bool:
    """Whether the folder holds a sweep that ran to its end."""
    return (folder / RESULT_KEY).is_file()


def run_in(folder: Path, sweep: TuningSweep) -> None:
    """Run a sweep in its folder to its end, or the rest of it.

    OtherSettingsError, SweepFailedError, or InterruptedSweepError after Ctrl-C.
    """
    folder.mkdir(parents=True, exist_ok=True)
    store = LocalStore(folder)
    check_same(folder, store.read(SWEEP_KEY), sweep)
    if has_ended(folder):
        return
    store.write(SWEEP_KEY, _written(sweep))
    state = run_sweep(sweep, DriverOptions(results=str(folder.resolve()), log_to_driver=False))
    if not _measured(state):
        raise SweepFailedError(f"{folder}: {state.result.message if state.result else 'it has no result'}")
    store.write(RESULT_KEY, _written(state))


def _measured(state: SweepState) -> bool:
    """Whether the sweep ran as it was told to; limits that stop every trial are a finding, not a fault."""
    result = state.result
    if result is None or result.succeeded:
        return result is not None
    return result.reason is ConditionReason.NO_TRIAL_SUCCEEDED and state.trials.failed == 0


def check_same(folder: Path, earlier: bytes | None, sweep: TuningSweep) -> None:
    """OtherSettingsError if what the folder holds is not this sweep."""
    # Read as a sweep: fields that came later have their defaults.
    if earlier is not None and TuningSweep.from_manifest(json.loads(earlier)).dump() != sweep.dump():
        raise OtherSettingsError(
            f"{folder} holds a run of other steps, data or limits; choose another folder with --results,"
            " or delete that folder to run it anew"
        )


def _written(content: Model) -> bytes:
    return json.dumps(content.dump(), indent=1).encode()
