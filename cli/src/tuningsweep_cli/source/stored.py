"""A sweep's results in a folder, in object storage, or on a claim: what its driver has put on record."""

import json
from collections.abc import Callable
from dataclasses import replace

from pydantic import ValidationError

from tuningsweep_api.messages import SweepState
from tuningsweep_api.names import RESULT_KEY, SWEEP_KEY
from tuningsweep_api.outcomes import Phase
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import RunningTrial, TrialRecord
from tuningsweep_cli.exits import CommandError, Exit
from tuningsweep_cli.source.base import Progress, Source, best_of, folded
from tuningsweep_cli.workspace import LOCK, held
from tuningsweep_trainer.results.ledger import History, Ledger
from tuningsweep_trainer.results.store import LocalStore, Store, open_store
from tuningsweep_trainer.results.traces import TrialTrace, read_traces


class StoredSource(Source):
    """Reads the ledger and the traces of a store."""

    def __init__(
        self,
        store: Store,
        place: str,
        sweep: TuningSweep,
        *,
        progress: Progress | None = None,
        close: Callable[[], None] | None = None,
    ) -> None:
        self.store, self.place, self.sweep = store, place, sweep
        self._known, self._close = progress, close

    def progress(self) -> Progress:
        """From the last state if the sweep has ended, else from the ledger."""
        if self._known is not None:
            return self._known
        history = Ledger(self.store).load()
        result = self.store.read(RESULT_KEY)
        if result is not None:
            return _finished(self.sweep, history, result)
        unfinished = _unfinished(self.sweep, history)
        return replace(unfinished, interrupted=self._is_left())

    def records(self, after: int = 0) -> list[TrialRecord]:
        """The records of trials.jsonl."""
        return Ledger(self.store).load().records[after:]

    def traces(self, trial: str) -> list[TrialTrace]:
        """The trace files of a trial."""
        return read_traces(self.store, trial)

    def _is_left(self) -> bool:
        """Whether this is a local run that no process is at; of one in a cluster a folder does not tell."""
        return isinstance(self.store, LocalStore) and (self.store.root / LOCK).exists() and not held(self.store.root)

    def close(self) -> None:
        """Give back the store, where it was made for this."""
        if self._close is not None:
            self._close()


def _unfinished(sweep: TuningSweep, history: History) -> Progress:
    started = {name: trial for name, trial in history.unfinished.items() if trial.attempts}
    running = tuple(
        RunningTrial(trial=name, parameters=trial.parameters, start_time=trial.first_start or "")
        for name, trial in started.items()
    )
    return Progress(
        phase=Phase.RUNNING,
        trials=folded(history.records, len(started), len(history.unfinished) - len(started)),
        running=running,
        optimal=best_of(sweep, history.records),
    )


def _finished(sweep: TuningSweep, history: History, content: bytes) -> Progress:
    state = SweepState.read(content)
    result = state.result
    return Progress(
        phase=Phase.COMPLETE if result is not None and result.succeeded else Phase.FAILED,
        message="" if result is None else f"{result.reason}: {result.message}",
        trials=folded(history.records),
        optimal=best_of(sweep, history.records),
    )


def open_results(location: str, name: str | None = None) -> StoredSource:
    """The results of a sweep at a folder or URI, or in a folder of the sweep's name below it; CommandError if none.

    Without a name, those of whatever sweep is there.
    """
    for place in (location, *([] if name is None else [f"{location.rstrip('/')}/{name}"])):
        store = store_at(place)
        sweep = _described(store, place)
        if sweep is not None and name in (None, sweep.metadata.name):
            return StoredSource(store, place, sweep)
    raise CommandError(
        f"there are no results of sweep {name!r} in {location}; --results takes the folder or URI that holds its"
        f" {SWEEP_KEY}, or the one above",
        Exit.NOT_FOUND,
    )


def store_at(place: str) -> Store:
    """The store at a folder or URI; CommandError if it can't be opened."""
    try:
        return open_store(place)
    except (OSError, ValueError) as error:
        raise CommandError(f"{place} can't be opened: {error}") from error


def unreadable(place: str, error: OSError) -> CommandError:
    """Why a folder, URI or claim gave no results, and of a URI what it is read with."""
    advice = (
        "; a URI is read with your own credentials (AWS_ACCESS_KEY_ID, ...), s3:// from Amazon's server unless"
        " AWS_ENDPOINT_URL names another"
    )
    return CommandError(f"{place} can't be read: {error}{advice if '://' in place else ''}", Exit.NOT_FOUND)


def _described(store: Store, place: str) -> TuningSweep | None:
    """The sweep that a folder's results are of; None without any."""
    try:
        content = store.read(SWEEP_KEY)
        return None if content is None else TuningSweep.from_stored(json.loads(content))
    except NotADirectoryError:
        return None
    except OSError as error:
        raise unreadable(place, error) from error
    except (ValueError, ValidationError) as error:
        raise CommandError(f"{place}/{SWEEP_KEY} can't be read: it is not of this version of tuningsweep") from error
