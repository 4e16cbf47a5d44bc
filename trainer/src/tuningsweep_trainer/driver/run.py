"""Runs a sweep from its spec to its result: the one entry for the cluster's driver and for `tuningsweep run`."""

import logging
import os
import signal
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import ray

from tuningsweep_api import names
from tuningsweep_api.messages import SweepResult, SweepState, desired_state
from tuningsweep_api.model import Model
from tuningsweep_api.outcomes import ConditionReason, Reason
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.driver.archive import Archive
from tuningsweep_trainer.driver.book import Book
from tuningsweep_trainer.driver.conductor import Conductor, orders_of
from tuningsweep_trainer.driver.context import SweepContext
from tuningsweep_trainer.driver.control import ControlServer
from tuningsweep_trainer.driver.fleet import Fleet
from tuningsweep_trainer.driver.listeners import Listeners
from tuningsweep_trainer.driver.options import DriverOptions
from tuningsweep_trainer.driver.preflight import Tried, advice_on_loading, check_on_node, write_probe
from tuningsweep_trainer.driver.proposals import make_proposer
from tuningsweep_trainer.driver.ray_session import ray_session
from tuningsweep_trainer.driver.resources import trial_resources
from tuningsweep_trainer.driver.state import sweep_result
from tuningsweep_trainer.driver.tidying import Tidier
from tuningsweep_trainer.driver.tune_environment import keep_credentials
from tuningsweep_trainer.driver.tuner import make_tuner
from tuningsweep_trainer.errors import SweepError
from tuningsweep_trainer.results.desired import DesiredFile
from tuningsweep_trainer.results.ledger import Ledger
from tuningsweep_trainer.results.store import open_store

MOST_PENDING = 200
"""Trials that Tune may keep waiting for resources; more where parallelTrialCount asks for more."""

log = logging.getLogger(__name__)


class InterruptedSweepError(Exception):
    """The driver was asked to leave: unfinished trials go on at the next start."""


class UnheardFailureError(Exception):
    """The sweep has failed, and nobody has acknowledged it in time."""


def run_sweep(sweep: TuningSweep, options: DriverOptions) -> SweepState:
    """Run a sweep to its end and return its last state.

    InterruptedSweepError after SIGINT or SIGTERM, RayStartError if no Ray could be embedded, UnheardFailureError.
    """
    # Tune warns that trials left no result files of its own: they are not wanted, the ledger has the results.
    for chatty in ("ray.tune", "ray._private.authentication"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    count = sweep.spec.parallel_trial_count
    os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(max(MOST_PENDING, count) if isinstance(count, int) else MOST_PENDING)
    keep_credentials()
    with ray_session(options):
        return _Run(sweep, options).run()


class _Run:
    """The parts of one run, put together."""

    def __init__(self, sweep: TuningSweep, options: DriverOptions) -> None:
        self._sweep, self._options = sweep, options
        self._resources = trial_resources(sweep.spec, local=options.local)
        self._context = SweepContext(
            run_id=uuid.uuid4().hex[:12],
            sweep=sweep,
            results=options.results,
            python_path=list(options.python_path),
            metrics_port=options.metrics_port,
        )
        self._store = store = open_store(options.results)
        self._ledger = Ledger(store)
        history = self._ledger.load()
        self._archive = Archive(history.records)
        self._listeners = Listeners([*options.listeners, self._archive])
        proposer = make_proposer(sweep.spec, history.assigned)
        self._desired = DesiredFile(store) if options.control is not None else None
        desired = (self._desired and self._desired.read()) or desired_state(sweep)
        self._tidier = Tidier(options.results, [record.trial for record in history.records])
        self._book = Book(sweep, self._ledger, proposer, self._listeners, desired, self._tidier.trial_ended)
        fleet = Fleet(self._context, orders_of(self._book))
        self._conductor = Conductor(sweep, self._book, fleet, self._context.run_id, options.on_state, self._desired)
        self._fleet = fleet

    def run(self) -> SweepState:
        options = self._options.control
        control = None if options is None else ControlServer(self._conductor, self._archive, self._store, options)
        with _signals(self._interrupt, enabled=self._options.handle_signals):
            try:
                if control is not None:
                    control.start()
                self._conductor.start()
                if self._options.refusal is None:  # else the results may be another sweep's
                    self._tidier.start()
                self._set_deadline()
                return self._finish(self._result())
            finally:
                self._leave(control)

    def _leave(self, control: ControlServer | None) -> None:
        """Leave every part; one that can't be left in good order changes nothing about how the run has ended."""
        parts = [self._conductor.leave, self._fleet.leave, self._tidier.leave]
        for leave in parts if control is None else [*parts, control.stop]:
            try:
                leave()
            except Exception:
                log.exception("a part of the driver could not be left in good order")

    def _set_deadline(self) -> None:
        if self._options.deadline_seconds is not None:
            timer = threading.Timer(self._options.deadline_seconds, self._end_at_deadline)
            timer.daemon = True
            timer.start()

    def _end_at_deadline(self) -> None:
        end = desired_state(self._sweep, Reason.SWEEP_DEADLINE_EXCEEDED)
        self._conductor.edit(end, end.digest())
        self._conductor.keep()

    def _interrupt(self, number: signal.Signals) -> None:
        over = self._book.interrupted or self._conductor.result is not None
        if over and number == signal.SIGINT:
            log.warning("%s: what MLflow has not been told yet is kept in the results", number.name)
            self._options.leave_now.set()
            return
        log.warning("%s: unfinished trials go on at the next start", number.name)
        self._book.interrupted = True
        self._conductor.nudge()

    def _result(self) -> SweepResult | None:
        """Run the sweep; how it ended, or None if the run was interrupted."""
        refusal = self._options.refusal
        if refusal is not None:
            return SweepResult(succeeded=False, reason=refusal.reason, message=refusal.message)
        trouble = self._try_out()
        if trouble is None:
            self._tune()
        if self._book.interrupted:
            return None
        if trouble is None:
            self._book.close_open_trials()
        else:
            self._close_as_far_as_possible()
        return trouble or sweep_result(self._book.progress())

    def _close_as_far_as_possible(self) -> None:
        """Close the trials of an earlier driver after a failed preflight, whose trouble may be the storage itself."""
        try:
            self._book.close_open_trials()
        except OSError:
            log.exception("trials of an earlier driver are left without an outcome")

    def _try_out(self) -> SweepResult | None:
        """The preflight; the result of a sweep that can't be run."""
        if not self._options.preflight or self._book.nothing_left:
            return None
        try:
            write_probe(self._context)
            task = ray.remote(check_on_node).options(**self._resources, max_retries=2)
            tried: Tried | None = self._wait_for(task.remote(self._context.model_dump_json(by_alias=True)))
        except SweepError as error:
            return SweepResult(succeeded=False, reason=error.reason, message=error.message)
        return None if tried is None else self._heed(tried)

    def _heed(self, tried: Tried) -> SweepResult | None:
        """The result of a sweep that can't be run; of one that can, what the log should say."""
        if tried.refusal is not None:
            reason, message = tried.refusal
            return SweepResult(succeeded=False, reason=ConditionReason(reason), message=message)
        advice = advice_on_loading(self._sweep.spec.trainable, tried.load_seconds)
        if advice is not None:
            log.warning("%s", advice)
        return None

    def _wait_for(self, reference: Any) -> Any:
        """A task's result; the wait ends early when the sweep does."""
        while not ray.wait([reference], timeout=0.5)[0]:
            if self._book.closed:
                ray.cancel(reference, force=True)
                return None
        return ray.get(reference)

    def _tune(self) -> None:
        """Let Tune run the trials."""
        self._describe(names.SWEEP_KEY, self._sweep.without_pod_template())
        if not self._book.nothing_left:
            make_tuner(self._context, self._book, self._resources).fit()

    def _finish(self, result: SweepResult | None) -> SweepState:
        """Say how it ended, wait until the operator knows, clean up."""
        if result is None:
            self._listeners.sweep_ended(self._conductor.state())
            raise InterruptedSweepError
        log.info("the sweep has ended: %s: %s", result.reason, result.message)
        self._conductor.result = result
        state = self._conductor.state()
        self._ledger.fold()
        self._describe(names.RESULT_KEY, state)
        self._listeners.sweep_ended(state)
        self._tidier.sweep_ended()
        if self._options.on_state is not None:
            self._options.on_state(state)
        control = self._options.control
        if control is not None and not self._wait_acknowledged(control.acknowledge_seconds):
            log.warning("nobody has acknowledged the result; it is in the results")
            if not result.succeeded:
                raise UnheardFailureError(result.message)
        return state

    def _describe(self, file: str, content: Model) -> None:
        """Put what the sweep is, or how it ended, beside its records; a local run's folder has it from its workspace."""
        if self._options.control is not None:
            self._store.write(file, content.model_dump_json(by_alias=True, exclude_none=True, indent=1).encode())

    def _wait_acknowledged(self, seconds: float) -> bool:
        waited = 0.0
        while waited < seconds and not self._book.interrupted:
            if self._conductor.acknowledged.wait(0.5):
                return True
            waited += 0.5
        return False


@contextmanager
def _signals(interrupt: Callable[[signal.Signals], None], *, enabled: bool) -> Iterator[None]:
    """SIGINT and SIGTERM interrupt the sweep while the block runs; only the main thread can arrange that."""
    if not enabled or threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, _: FrameType | None) -> None:
        interrupt(signal.Signals(number))

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
