"""The driver's book of trials: hands them out, and puts what happens to them on record.

Each event goes to the ledger, then to the listeners, then on the board, where everybody may see it: what is said of a trial
is on record, whatever crashes next. The first two may take as long as storage does, and keep nobody waiting but Tune.
"""

import logging
import threading
from collections.abc import Callable

from tuningsweep_api.messages import DesiredState
from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_api.spec.limits import Forecasting
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.clocks import timestamp
from tuningsweep_trainer.driver.board import Board
from tuningsweep_trainer.driver.forecast import Forecaster
from tuningsweep_trainer.driver.listeners import Listeners
from tuningsweep_trainer.driver.live import Live
from tuningsweep_trainer.driver.proposals import Proposer
from tuningsweep_trainer.driver.records import ending_of, record_of
from tuningsweep_trainer.driver.search_space import Parameters
from tuningsweep_trainer.driver.upcoming import Upcoming
from tuningsweep_trainer.results.ledger import Assignment, Ledger, LimitWarning
from tuningsweep_trainer.supervisor.ending import forecast_sentence
from tuningsweep_trainer.supervisor.result import TrialResult

log = logging.getLogger(__name__)


class Book(Board):
    """Trials of one sweep.

    Who writes holds `_writing` all the while, and the board's lock within it for the moment of a change. Which trials there
    are changes under both alone, so that either is enough to look.
    """

    def __init__(
        self,
        sweep: TuningSweep,
        ledger: Ledger,
        proposer: Proposer,
        listeners: Listeners,
        desired: DesiredState,
        outlived: Callable[[str, int], None] = lambda trial, checkpoint: None,  # noqa: ARG005
    ) -> None:
        """`outlived` is told of a trial whose end is on record, and up to which checkpoint nobody needs those before it."""
        history = ledger.load()
        super().__init__(sweep.spec.objective, Upcoming(ledger, proposer, history), desired)
        self._writing = threading.Lock()
        self._sweep, self._ledger, self._proposer, self._listeners = sweep, ledger, proposer, listeners
        self._outlived = outlived
        self._forecaster = Forecaster(sweep.spec.parameters)
        self._warned |= {(warning.trial, warning.reason) for warning in history.warnings}
        for record in history.records:
            self._tally.add(record)
            self._learn(record)
        self._judge_sweep()

    # -- handing out trials -------------------------------------------------------------------------------------------

    def next_trial(self) -> tuple[str, Parameters] | None:
        """The next trial to start, if one may start now; on record before this returns."""
        with self._writing:
            while not self.closed and self.active < self.most_active:
                assigned = self._upcoming.next(self.desired.max_trial_count)
                if assigned is None:
                    break
                name, live = assigned
                with self._lock:
                    self._upcoming.hand_out(name)
                    self._live[name] = live
                if not self._skipped(name, live):
                    return name, live.parameters
            return None

    def expected_memory(self, parameters: Parameters) -> int | None:
        """The most memory a configuration is expected to hold, limits aside, bytes; None if unknown, or nobody asks."""
        with self._writing:
            if isinstance(self.desired.parallel_trial_count, int):
                return None
            return self._forecaster.most_memory(parameters)

    def _skipped(self, name: str, live: Live) -> bool:
        """Whether a trial that is about to start for the first time is predicted to exceed a limit, and ends here."""
        limits = self.desired.limits
        what = limits.forecast
        if what is Forecasting.OFF or live.attempts:
            return False
        forecast = self._forecaster.forecast(live.parameters, limits)
        if forecast is None:
            return False
        with self._lock:
            live.forecast = forecast
        message = forecast_sentence(forecast)
        log.info("%s (limits.forecast is %s)", message, what, extra={"trial": name, "reason": forecast.reason})
        if what is not Forecasting.SKIP:
            return False
        reason = Reason.PREDICTED_OVER_LIMIT
        self._put(name, live, TrialResult(process="", outcome=Outcome.SKIPPED, reason=reason, message=message))
        return True

    # -- what happens to them -----------------------------------------------------------------------------------------

    def started(self, name: str, parameters: Parameters) -> None:
        """A training process of the trial is about to start."""
        with self._writing:
            live, now = self._live[name], timestamp()
            assignment = Assignment(trial=name, parameters=parameters, attempt=live.attempts + 1, time=now)
            self._ledger.assign(assignment)
            self._listeners.started(name, dict(parameters))
            with self._lock:
                live.start(parameters, now)

    def reported(self, name: str, result: TrialResult, step: int) -> None:
        """The trial reported."""
        with self._writing:
            live = self._live.get(name)
            if live is None:
                return
            self._warn(name, result)
            self._listeners.reported(name, result.metrics, step)
            with self._lock:
                live.last, live.held, live.training = result, "", True

    def ended(self, name: str, parameters: Parameters, result: TrialResult | None) -> None:
        """Tune is done with the trial. Without an outcome in its last result, the scheduler has pruned it."""
        with self._writing:
            live = self._live.get(name)
            if live is None:
                return
            outcome = None if result is None else result.outcome
            with self._lock:
                self._release(live)
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
        with self._writing:
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
        with self._writing:
            if self.interrupted:
                return
            with self._lock:
                self._live |= self._upcoming.withdraw()
            for name, live in list(self._live.items()):
                reason = self.desired.end or Reason.SWEEP_ENDED
                self._put(name, live, TrialResult(process="", outcome=Outcome.STOPPED, reason=reason))

    # -- parts of that, by who writes ---------------------------------------------------------------------------------

    def _put(self, name: str, live: Live, result: TrialResult) -> None:
        """Put a trial's end on record, tell of it, and only then show it: the operator makes status and Events of what it
        is shown, and the command line asks the archive, a listener, for as many records as it was shown."""
        record = record_of(name, live, result, timestamp())
        self._warn(name, result)
        self._ledger.record(record)
        self._listeners.ended(record)
        final = result if result.process else live.last or result
        if final.checkpoint is not None:
            self._outlived(name, final.checkpoint)
        with self._lock:
            del self._live[name]
            self._tally.add(record)
            self._judge_sweep()
        self._learn(record)

    def _warn(self, name: str, result: TrialResult) -> None:
        for warned in result.warnings:
            if (name, warned.reason) not in self._warned:
                fields = {"trial": name, "reason": warned.reason, "observed": warned.observed, "limit": warned.limit}
                self._ledger.warn(LimitWarning.model_validate({**fields, "time": timestamp()}))
                with self._lock:
                    self._warned.add((name, warned.reason))

    def _learn(self, record: TrialRecord) -> None:
        """Let what proposes and predicts learn from a trial that has ended."""
        self._proposer.ended(record)
        self._forecaster.learn(record)
