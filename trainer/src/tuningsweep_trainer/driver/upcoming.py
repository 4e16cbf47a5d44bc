"""The trials still to hand out: those that an earlier driver left unfinished, then new ones.

The book hands them out: what it asks for here may wait for storage, and each change of what the board shows as left is a
call of its own, under the board's lock.
"""

from tuningsweep_api.names import trial_name
from tuningsweep_trainer.clocks import timestamp
from tuningsweep_trainer.driver.live import Live
from tuningsweep_trainer.driver.proposals import Proposer
from tuningsweep_trainer.results.ledger import Assignment, History, Ledger


class Upcoming:
    """Gives each trial once."""

    def __init__(self, ledger: Ledger, proposer: Proposer, history: History) -> None:
        self._ledger, self._proposer = ledger, proposer
        self._unfinished = {
            name: Live(trial.parameters, trial.attempts, trial.first_start)
            for name, trial in history.unfinished.items()
        }
        self._next_index = history.assigned
        self._exhausted = False

    def next(self, max_trial_count: int) -> tuple[str, Live] | None:
        """The next trial, on record before this returns, which `hand_out` must follow; None if there is none now."""
        if self._unfinished:
            return next(iter(self._unfinished.items()))
        return self._new(max_trial_count)

    def hand_out(self, name: str) -> None:
        """The trial is handed out, not left any more."""
        self._unfinished.pop(name, None)

    def _new(self, max_trial_count: int) -> tuple[str, Live] | None:
        if self._next_index >= max_trial_count:
            return None
        name = trial_name(self._next_index)
        parameters = self._proposer.propose(self._next_index, name)
        if parameters is None:
            self._exhausted = True
            return None
        self._ledger.assign(Assignment(trial=name, parameters=parameters, time=timestamp()))
        self._next_index += 1
        return name, Live(parameters)

    def used_up(self, max_trial_count: int) -> bool:
        """Whether none is left, unless maxTrialCount is raised."""
        return not self._unfinished and (self._exhausted or self._next_index >= max_trial_count)

    def left(self) -> dict[str, Live]:
        """Those of an earlier driver that were not handed out again."""
        return dict(self._unfinished)

    def withdraw(self) -> dict[str, Live]:
        """What is left, not to be handed out any more."""
        left = self.left()
        self._unfinished.clear()
        return left
