"""The driver's book of trials: which are waiting, running, ended, and what follows from that for the sweep.

Everything that happens to a trial comes here, is put in the ledger, and is folded into the SweepState that the control API
and the live table show. A lock makes it usable from Tune's thread, the control API's and the conductor's.
"""

import logging
import threading
from collections.abc import Mapping
from typing import Final

from tuningsweep_api.messages import DesiredState
from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_api.spec.limits import Forecasting
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.clocks import timestamp
from tuningsweep_trainer.driver.forecast import Forecaster
from tuningsweep_trainer.driver.listeners import Listeners
from tuningsweep_trainer.driver.live import Live, Progress
from tuningsweep_trainer.driver.proposals import Proposer
from tuningsweep_trainer.driver.records import ending_of, record_of
from tuningsweep_trainer.driver.search_space import Parameters
from tuningsweep_trainer.driver.sweep_end import SweepEnd, sweep_end
from tuningsweep_trainer.driver.tally import Tally
from tuningsweep_trainer.driver.upcoming import Upcoming
from tuningsweep_trainer.node.runtime import TrialStatus
from tuningsweep_trainer.results.ledger import Assignment, Ledger, LimitWarning
from tuningsweep_trainer.supervisor.ending import forecast_sentence
from tuningsweep_trainer.supervisor.result import TrialResult

MOST_ASKING: Final = 2
"""With parallelTrialCount Auto, trials that are with a supervisor and not known to train; one for each node if more."""

log = logging.getLogger(__name__)


class Book:
    """Trials of one sweep."""

    def __init__(
        self, sweep: TuningSweep, ledger: Ledger, proposer: Proposer, listeners: Listeners, desired: DesiredState
    ) -> None:
        self._lock = threading.RLock()
        self._sweep, self._ledger, self._proposer, self._listeners = sweep, ledger, proposer, listeners
        self.desired = desired
        history = ledger.load()
        self._tally = Tally(sweep.spec.objective)
        self._forecaster = Forecaster(sweep.spec.parameters)
        self._live: dict[str, Live] = {}
        self._upcoming = Upcoming(ledger, proposer, history)
        self._warned = {(warning.trial, warning.reason) for warning in history.warnings}
        self._nodes = 1
        self.released: list[str] = []
        self.end: SweepEnd | None = None
        self.interrupted = False
        for record in history.records:
            self._count(record)
        self._judge_sweep()

    # -- handing out trials -------------------------------------------------------------------------------------------

    def next_trial(self) -> tuple[str, Parameters] | None:
        """The next trial to start, if one may start now; on record before this returns."""
        with self._lock:
            while not self.closed and self._active < self.most_active:
                assigned = self._upcoming.next(self.desired.max_trial_count)
                if assigned is None:
                    break
                name, live = assigned
                self._live[name] = live
                if not self._skipped(name, live):
                    return name, live.parameters
            return None

    @property
    def _active(self) -> int:
        return sum(not live.paused for live in self._live.values())

    @property
    def most_active(self) -> int:
        """Trials that may be with Tune now: with Auto those that train, and a few that ask their node for memory."""
        count = self.desired.parallel_trial_count
        if isinstance(count, int):
            return count
        training = sum(live.training and not live.paused for live in self._live.values())
        return training + max(MOST_ASKING, self._nodes)

    def expected_memory(self, parameters: Parameters) -> int | None:
        """The most memory a configuration is expected to hold, limits aside, bytes; None if unknown, or nobody asks."""
        with self._lock:
            if isinstance(self.desired.parallel_trial_count, int):
                return None
            return self._forecaster.most_memory(parameters)

    def _skipped(self, name: str, live: Live) -> bool:
        """Whether a trial that is about to start for the first time is predicted to exceed a limit, and ends here."""
        what = self.desired.limits.forecast
        if what is Forecasting.OFF or live.attempts:
            return False
        forecast = self._forecaster.forecast(live.parameters, self.desired.limits)
        if forecast is None:
            return False
        live.forecast = forecast
        message = forecast_sentence(forecast)
        log.info("%s (limits.forecast is %s)", message, what, extra={"trial": name, "reason": forecast.reason})
        if what is not Forecasting.SKIP:
            return False
        reason = Reason.PREDICTED_OVER_LIMIT
        self._put(name, live, TrialResult(process="", outcome=Outcome.SKIPPED, reason=reason, message=message))
        return True

    @property
    def closed(self) -> bool:
        """No trial starts any more, whatever is edited."""
        return self.end is not None or self.interrupted or self.desired.end is not None

    @property
    def nothing_left(self) -> bool:
        """Nothing is left to hand out, unless maxTrialCount is raised."""
        with self._lock:
            return self.closed or self._upcoming.used_up(self.desired.max_trial_count)

    # -- what happens to them -----------------------------------------------------------------------------------------

    def started(self, name: str, parameters: Parameters) -> None:
        """A training process of the trial is about to start."""
        with self._lock:
            live = self._live[name]
            if live.last is not None:
                live.spent_seconds += live.last.duration_seconds
                live.spent_cpu_seconds += live.last.cpu_seconds
                live.last = live.last.model_copy(update={"duration_seconds": 0.0, "cpu_seconds": 0.0})
            live.parameters, live.running, live.paused, live.attempts = dict(parameters), True, False, live.attempts + 1
            live.held, live.training = "", False
            live.start_time = live.start_time or timestamp()
            assignment = Assignment(trial=name, parameters=live.parameters, attempt=live.attempts, time=timestamp())
            self._ledger.assign(assignment)
        self._listeners.started(name, live.parameters)

    def reported(self, name: str, result: TrialResult, step: int) -> None:
        """The trial reported."""
        with self._lock:
            live = self._live.get(name)
            if live is None:
                return
            live.last, live.held, live.training = result, "", True
            self._warn(name, result)
        self._listeners.reported(name, result.metrics, step)

    def observed(self, statuses: Mapping[str, TrialStatus], nodes: int) -> None:
        """What the supervisors of so many nodes said of their trials, half a second ago or so."""
        with self._lock:
            self._nodes = nodes
            for name, status in statuses.items():
                live = self._live.get(name)
                if live is not None and live.running and not live.training:
                    live.held, live.training = status.held, not status.held

    def paused(self, name: str) -> None:
        """Tune paused the trial: its process is of no more use."""
        with self._lock:
            live = self._live.get(name)
            if live is not None and live.running:
                live.running, live.paused = False, True
                self._release(live)

    def lost(self, name: str) -> None:
        """The trial's supervisor died: it waits for another one."""
        with self._lock:
            live = self._live.get(name)
            if live is not None:
                live.running = False
                log.warning("its supervisor died; the trial is tried again", extra={"trial": name})

    @property
    def anything_running(self) -> bool:
        """Whether a supervisor has a trial now."""
        with self._lock:
            return any(live.running for live in self._live.values())

    def ended(self, name: str, parameters: Parameters, result: TrialResult | None) -> None:
        """Tune is done with the trial. Without an outcome in its last result, the scheduler has pruned it."""
        with self._lock:
            live = self._live.get(name)
            if live is None:
                return
            self._release(live)
            outcome = None if result is None else result.outcome
            if outcome is None and self.interrupted:
                del self._live[name]  # stays unfinished on record
                return
            live.parameters = dict(parameters)
            self._put(name, live, ending_of(result, self._longest()))

    def _longest(self) -> int | None:
        """Steps after which the scheduler takes a trial for fully trained, if it does."""
        scheduler = self._sweep.spec.scheduler
        return scheduler.max_steps if scheduler.type.ends_at_max_steps else None

    def failed(self, name: str, message: str) -> None:
        """Tune gave the trial up: its supervisor died too often."""
        with self._lock:
            live = self._live.get(name)
            if live is None or self.interrupted:
                return
            self._put(
                name,
                live,
                TrialResult(process="", outcome=Outcome.FAILED, reason=Reason.TRAINING_PROCESS_DIED, message=message),
            )

    def close_open_trials(self) -> None:
        """Nothing runs any more: what Tune never told the end of ends with the sweep, unless it goes on at the next start.

        Those are paused trials, and trials of an earlier driver that were not handed out again.
        """
        with self._lock:
            if self.interrupted:
                return
            self._live |= self._upcoming.withdraw()
            for name, live in list(self._live.items()):
                reason = self.desired.end or Reason.SWEEP_ENDED
                self._put(name, live, TrialResult(process="", outcome=Outcome.STOPPED, reason=reason))

    def _put(self, name: str, live: Live, result: TrialResult) -> None:
        """Put a trial's end on record."""
        record = record_of(name, live, result, timestamp())
        self._warn(name, result)
        self._ledger.record(record)
        del self._live[name]
        self._count(record)
        self._judge_sweep()
        self._listeners.ended(record)

    def _release(self, live: Live) -> None:
        if live.last is not None and live.last.process:
            self.released.append(live.last.process)

    def _warn(self, name: str, result: TrialResult) -> None:
        for warned in result.warnings:
            if (name, warned.reason) not in self._warned:
                self._warned.add((name, warned.reason))
                fields = {"trial": name, "reason": warned.reason, "observed": warned.observed, "limit": warned.limit}
                self._ledger.warn(LimitWarning.model_validate({**fields, "time": timestamp()}))

    # -- the sweep ----------------------------------------------------------------------------------------------------

    def _count(self, record: TrialRecord) -> None:
        """Let everything that learns from ended trials know."""
        self._tally.add(record)
        self._proposer.ended(record)
        self._forecaster.learn(record)

    def _judge_sweep(self) -> None:
        """Find out whether the sweep is over before all trials ran."""
        if self.end is None:
            self.end = sweep_end(self._tally, self.desired)

    def edit(self, desired: DesiredState) -> None:
        """Take in a desired state."""
        with self._lock:
            self.desired = desired
            self._judge_sweep()

    def progress(self) -> Progress:
        """A consistent copy for the state fold."""
        with self._lock:
            live = {name: Live(**vars(trial)) for name, trial in self._live.items()}
            return Progress(self._tally.copy(), {**live, **self._upcoming.left()}, len(self._warned), self.end)
