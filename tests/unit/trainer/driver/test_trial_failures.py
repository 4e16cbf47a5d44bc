"""A trial whose free actor is dead, or fails at once, is tried again; it is given up for failures of its own, in a row."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from ray.exceptions import RayActorError, RayTaskError
from ray.train._internal.session import _TrainingResult
from ray.tune import Checkpoint
from ray.tune.experiment import Trial

from tuningsweep_trainer.driver.trial_failures import RetriedTrial

RETRIES = 3


@dataclass
class Controller:
    """What Tune's controller does with a trial that fails."""

    _resetting_trials: set[Trial] = field(default_factory=set)
    _staged_trials: set[Trial] = field(default_factory=set)
    given_up: bool = False

    def _set_trial_status(self, trial: Trial, status: str) -> None:
        trial.set_status(status)

    def _unstage_trial_with_resources(self, trial: Trial) -> None:
        self._staged_trials.remove(trial)

    def task_failed(self, trial: Trial, error: Any) -> None:
        trial.handle_error(error)
        if trial.status == Trial.RUNNING and trial.should_recover():
            trial.set_status(Trial.PENDING)
        else:
            self.given_up = True

    def free_actor_died(self, trial: Trial, error: RayActorError) -> None:
        """Told of as the actor's death, then as the failure of its call."""
        self._set_trial_status(trial, Trial.RUNNING)
        self._unstage_trial_with_resources(trial)
        self.task_failed(trial, error)
        self.task_failed(trial, error)


@pytest.fixture
def controller() -> Controller:
    return Controller()


def taken_on(controller: Controller, trial: Trial) -> None:
    """A free actor is asked to take the trial on."""
    controller._staged_trials.add(trial)
    controller._resetting_trials.add(trial)


@pytest.fixture
def trial(controller: Controller) -> Trial:
    """One that waits, and that a free actor is asked to take on."""
    made = RetriedTrial("none", stub=True, max_failures=RETRIES)
    made.controller = controller
    made.storage = SimpleNamespace(trial_driver_staging_path=None)  # nowhere to write the error to
    taken_on(controller, made)
    return made


def task_error() -> RayTaskError:
    return RayTaskError("reset", "Traceback", OSError("no space left"))


def test_dead_free_actors_are_no_failures_of_the_trial(controller: Controller, trial: Trial) -> None:
    for _ in range(RETRIES + 2):
        taken_on(controller, trial)
        controller.free_actor_died(trial, RayActorError())
        assert (trial.status, controller._resetting_trials) == (Trial.PENDING, set())
    assert not controller.given_up
    assert trial.run_metadata.num_failures == 0


def test_one_that_can_not_take_it_on_is_a_failure_and_the_trial_is_tried_again(
    controller: Controller, trial: Trial
) -> None:
    controller.task_failed(trial, task_error())
    assert (trial.status, controller._staged_trials, trial.run_metadata.num_failures) == (Trial.PENDING, set(), 1)
    assert not controller.given_up


def test_after_as_many_failures_as_are_tried_again_it_is_given_up(controller: Controller, trial: Trial) -> None:
    for failures in range(1, RETRIES + 2):
        taken_on(controller, trial)
        controller.task_failed(trial, task_error())
        assert controller.given_up == (failures > RETRIES)


def test_the_death_of_its_own_actor_is_a_failure(controller: Controller, trial: Trial) -> None:
    controller._resetting_trials.clear()
    trial.set_status(Trial.RUNNING)
    controller.task_failed(trial, RayActorError())
    assert (trial.status, trial.run_metadata.num_failures) == (Trial.PENDING, 1)


def test_failures_count_anew_once_it_gets_further(controller: Controller, trial: Trial) -> None:
    controller._resetting_trials.clear()
    for step in range(10, 10 * RETRIES * 3, 10):
        trial.set_status(Trial.RUNNING)
        trial.run_metadata.last_result = {"step": step}
        controller.task_failed(trial, RayActorError())
        assert (trial.status, trial.run_metadata.num_failures) == (Trial.PENDING, 1)


@pytest.mark.parametrize("steps", [[7, 7, 7, 7], [7, 3, 7, 5], [0, 0, 0, 0]])
def test_a_trial_that_gets_no_further_is_given_up(controller: Controller, trial: Trial, steps: list[int]) -> None:
    controller._resetting_trials.clear()
    for failures, step in enumerate(steps, start=1):
        trial.set_status(Trial.RUNNING)
        trial.run_metadata.last_result = {"step": step}
        controller.task_failed(trial, RayActorError())
        assert controller.given_up == (failures > RETRIES)


def test_a_trial_that_went_on_from_a_checkpoint_is_not_thrown_back_to_it_by_the_next_failure(trial: Trial) -> None:
    checkpoints = trial.run_metadata.checkpoint_manager
    for step in (10, 20):
        checkpoints.register_checkpoint(_TrainingResult(Checkpoint("/none"), {"step": step}))
        assert trial.checkpoint is not None, "a pause is to be resumed from it"
        trial.temporary_state.restoring_from = trial.latest_checkpoint_result
        trial.on_restore()
        assert (trial.checkpoint, trial.last_result["step"]) == (None, step)
