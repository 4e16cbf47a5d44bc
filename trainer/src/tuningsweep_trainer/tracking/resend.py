"""Sends what a sweep could not send to MLflow before it ended: called by `tuningsweep track`."""

from tuningsweep_trainer.results.store import open_store
from tuningsweep_trainer.tracking.setup import SWEEP_FILE, sender_thread, tracked_sweep
from tuningsweep_trainer.tracking.spool import Spool


def send_the_rest(results: str) -> tuple[int, int]:
    """Files of events sent and left; LookupError where no sweep was tracked, OSError of the store."""
    results = results.removeprefix("file://").rstrip("/")
    store = open_store(results)
    sweep = tracked_sweep(store)
    if sweep is None:
        raise LookupError(f"{results} has no {SWEEP_FILE}: write the folder or URI of a sweep that was tracked")
    spool = Spool(store)
    before = spool.files
    if before:
        thread = sender_thread(sweep, results, spool)
        thread.start()
        thread.finish()
    return before - spool.files, spool.files
