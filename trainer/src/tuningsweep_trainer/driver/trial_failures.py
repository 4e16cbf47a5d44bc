"""What counts as a failure of a trial: it is tried again after as many as Tune is told, and then given up.

Failures add up only as long as the trial gets no further: on nodes that come and go, a trial of many hours loses its
supervisor often, and goes on from its last checkpoint each time.

The death of a free actor is none. Actors are reused, and one that is free may die unnoticed, with its node say. Ray 2.60
finds out when it gives that actor to the next trial, and then ends the trial: it hears of the death twice, first as the
actor's, after which the trial waits to be tried again, then as that of the call in flight, and a trial that fails while it
waits is given up.
"""

from typing import Any

from ray.exceptions import RayActorError
from ray.tune.experiment import Trial


class RetriedTrial(Trial):
    """A Tune trial that survives the actors it is given, and any number of failures between which it gets further."""

    controller: Any = None
    """Tune's controller, from the scheduler."""
    _told: Exception | None = None
    """The death of the free actor, between the two times that it is heard of."""
    _furthest: int = 0
    """The last step reported before any of its failures."""

    def handle_error(self, exc: Any = None) -> None:
        """Count a failure, if it is one of the trial's; as the first, if the trial had got further than before the last."""
        if exc is not None and exc is self._told:
            self._told = None
            self._try_again()
        elif not self._is_taken_on():
            self._forget_if_further()
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

    def on_restore(self) -> None:
        """Forget the checkpoint that it went on from after a pause: its own store has it now, and soon newer ones.

        Tune would restore it at the next failure too. One cloned from another trial (PBT) would undo all since the cloning,
        and fail the trial once the other one's checkpoints have been dropped.
        """
        super().on_restore()
        checkpoints = self.run_metadata.checkpoint_manager
        assert checkpoints is not None
        checkpoints._latest_checkpoint_result = None

    def _is_taken_on(self) -> bool:
        return self.controller is not None and self in self.controller._resetting_trials

    def _forget_if_further(self) -> None:
        step = int((self.run_metadata.last_result or {}).get("step", 0))
        if step > self._furthest:
            self._furthest, self.run_metadata.num_failures = step, 0

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
