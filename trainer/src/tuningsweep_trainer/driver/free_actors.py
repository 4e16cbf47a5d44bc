"""Trials whose free actor turns out to be dead, or fails while it takes the trial on: they are tried with another one.

Actors are reused, and one that is free may die unnoticed, with its node say. Ray 2.60 finds out when it gives that actor to
the next trial, and then ends the trial: it hears of the death twice, first as the actor's, after which the trial waits to
be tried again, then as that of the call in flight, and a trial that fails while it waits is given up.
"""

from typing import Any

from ray.exceptions import RayActorError
from ray.tune.experiment import Trial


class Reassigned(Trial):
    """A Tune trial that survives the actors it is given."""

    controller: Any = None
    """Tune's controller, from the scheduler."""
    _told: Exception | None = None
    """The death of the free actor, between the two times that it is heard of."""

    def handle_error(self, exc: Any = None) -> None:
        """Count a failure; the death of a free actor is none of the trial's."""
        if exc is not None and exc is self._told:
            self._told = None
            self._try_again()
        elif not self._is_taken_on():
            super().handle_error(exc)
        elif isinstance(exc, RayActorError):
            self.controller._resetting_trials.discard(self)
            self._told = exc  # the controller has made it a trial that runs, by itself
        else:
            super().handle_error(exc)
            self.controller._resetting_trials.discard(self)
            if self in self.controller._staged_trials:
                self.controller._unstage_trial_with_resources(self)
            self._try_again()

    def _is_taken_on(self) -> bool:
        return self.controller is not None and self in self.controller._resetting_trials

    def _try_again(self) -> None:
        """Only a trial that runs is tried again."""
        if self.status == self.PENDING:
            self.controller._set_trial_status(self, self.RUNNING)


class TellsTrials:
    """Mixed into every scheduler, to which alone Tune shows its controller."""

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        """Let the trial know, too."""
        trial.controller = tune_controller
        super().on_trial_add(tune_controller, trial)  # type: ignore[misc]  # of the scheduler mixed with
