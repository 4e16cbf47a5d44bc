"""Makes a sweep's tracking listener from its spec: called by the driver's entry points before the sweep starts."""

import json
import logging
import os
import threading
from functools import partial
from importlib import import_module
from typing import Final

from tuningsweep_api.names import SWEEP_KEY
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.driver.listeners import TrialListener
from tuningsweep_trainer.results.ledger import Ledger
from tuningsweep_trainer.results.store import Store, open_store
from tuningsweep_trainer.tracking.embedded import artifacts_of, make_database, uri_of
from tuningsweep_trainer.tracking.listener import MlflowListener
from tuningsweep_trainer.tracking.mlflow_sink import MlflowSink
from tuningsweep_trainer.tracking.process import SenderProcess
from tuningsweep_trainer.tracking.sender import Connect, Delivery, SenderThread
from tuningsweep_trainer.tracking.spool import Spool

ENVIRONMENT: Final = {
    # The client's own retries would go on for minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_DISABLE_TELEMETRY": "true",  # MLflow would tell its makers over the internet what is called
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ALLOW_FILE_STORE": "true",  # for those who name a file: URL: MLflow would have them take SQLite
    "GIT_PYTHON_REFRESH": "quiet",
}
SWEEP_FILE: Final = f"tracking/{SWEEP_KEY}"
"""The sweep as tracked: what is needed to send the rest of the spool later."""

log = logging.getLogger(__name__)


def make_listeners(
    sweep: TuningSweep, results: str, *, own_process: bool = True, leave_now: threading.Event | None = None
) -> list[TrialListener]:
    """The tracking listener of a sweep, started; none if tracking is off or has no place to write to.

    The process that sends ends with the thread that calls this. Without one of its own a thread sends. Once `leave_now` is
    set, the end of the sweep does not wait for the server.
    """
    if not sweep.spec.tracking.enabled:
        return []
    results = results.removeprefix("file://")
    if "://" in results and sweep.spec.tracking.mlflow.tracking_uri is None:
        log.warning("tracking is left out: results in object storage need spec.tracking.mlflow.trackingUri")
        return []
    store = open_store(results)
    store.write(SWEEP_FILE, json.dumps(sweep.without_pod_template().dump()).encode())
    spool = Spool(store)
    delivery: Delivery
    delivery = (
        SenderProcess(results, spool, leave_now) if own_process else sender_thread(sweep, results, spool, leave_now)
    )
    listener = MlflowListener(
        delivery,
        spool,
        sweep.spec.objective,
        losses_in_logs=sweep.spec.trainable.builtin is not None and "://" not in results,
        history=Ledger(store).load().records,
    )
    listener.start()
    return [listener]


def tracked_sweep(store: Store) -> TuningSweep | None:
    """The sweep whose events are in a store's spool; None if none was tracked there."""
    content = store.read(SWEEP_FILE)
    return None if content is None else TuningSweep.from_stored(json.loads(content))


def sender_thread(
    sweep: TuningSweep, results: str, spool: Spool, leave_now: threading.Event | None = None
) -> SenderThread:
    """A thread that sends a sweep's spool."""
    return SenderThread(connection(sweep, results), spool, partial(load, sweep, results), leave_now)


def load(sweep: TuningSweep, results: str) -> None:
    """Load MLflow and make the record's file, after `connection`: seconds, many on a busy machine, and no server is asked."""
    import_module("mlflow.tracking")
    if sweep.spec.trainable.builtin is not None:
        import_module("tuningsweep_trainer.workloads.model")  # which the best model takes
    if sweep.spec.tracking.mlflow.tracking_uri is None:
        make_database(results)


def connection(sweep: TuningSweep, results: str) -> Connect:
    """What connects to the sweep's server, or to the SQLite file beside the results if it names none."""
    os.environ.update({name: value for name, value in ENVIRONMENT.items() if name not in os.environ})
    uri = sweep.spec.tracking.mlflow.tracking_uri
    if uri is not None:
        return partial(MlflowSink, sweep, results, uri, None)
    return partial(MlflowSink, sweep, results, uri_of(results), artifacts_of(results))
