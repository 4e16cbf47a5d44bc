"""HyperBand with trials that end by themselves: nothing stays paused for ever."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from ray.tune.experiment import Trial

from support.sweeps import BASE, edited
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.driver.schedulers import make_scheduler


def scheduler_of(kind: str) -> Any:
    scheduler = {"type": kind, "maxSteps": 36, "gracePeriodSteps": 4, "reductionFactor": 3}
    sweep = TuningSweep.from_manifest(edited(BASE, {"spec.scheduler": scheduler}))
    made = make_scheduler(sweep.spec, allowed=lambda: 2)
    made.set_search_properties("validation_loss", "min")
    return made


@dataclass(eq=False)
class FakeTrial:
    """As much of a Tune trial as the scheduler looks at."""

    trial_id: str
    status: str = Trial.RUNNING
    is_saving: bool = False


@dataclass
class FakeController:
    """Stops trials as Tune's controller does: the scheduler hears of it."""

    scheduler: Any
    stopped: list[str] = field(default_factory=list)
    search_alg = SimpleNamespace(searcher=SimpleNamespace(on_pause=lambda _: None, on_unpause=lambda _: None))

    def stop_trial(self, trial: FakeTrial) -> None:
        self.stopped.append(trial.trial_id)
        trial.status = Trial.TERMINATED
        self.scheduler.on_trial_remove(self, trial)


def test_a_paused_trial_is_stopped_when_the_last_other_one_of_its_bracket_ends_at_a_limit() -> None:
    scheduler = scheduler_of("HyperBand")
    controller = FakeController(scheduler)
    trials = [FakeTrial(f"trial-{number}") for number in range(2)]
    for trial in trials:
        scheduler.on_trial_add(controller, trial)
    pausing, ending = trials
    decision = scheduler.on_trial_result(controller, pausing, {"step": 36, "validation_loss": 1.0})
    if decision == scheduler.PAUSE:
        pausing.status = Trial.PAUSED
    ending.status = Trial.TERMINATED
    scheduler.on_trial_complete(controller, ending, {"step": 0})
    assert decision == scheduler.STOP or controller.stopped == ["trial-0"]


def report(scheduler: Any, controller: FakeController, trial: FakeTrial, step: int, loss: float) -> None:
    """A result, and what Tune does by the scheduler's decision."""
    result = {"step": step, "validation_loss": loss}
    decision = scheduler.on_trial_result(controller, trial, result)
    if decision == scheduler.PAUSE:
        trial.status = Trial.PAUSED
    elif decision == scheduler.STOP:
        trial.status = Trial.TERMINATED
        scheduler.on_trial_complete(controller, trial, result)


@pytest.mark.parametrize("kind", ["HyperBand", "BOHB"])
@pytest.mark.parametrize("halvings", [1, 2])
def test_survivors_of_a_halving_go_on_or_end_when_the_one_they_wait_for_ends_at_a_limit(
    kind: str, halvings: int
) -> None:
    scheduler = scheduler_of(kind)
    controller = FakeController(scheduler)
    for number in range(46):  # fill both brackets
        scheduler.on_trial_add(controller, FakeTrial(f"trial-{number}"))
    bracket = next(each for each in scheduler._hyperbands[0] if each is not None and each._halves == halvings)
    trials, rung = bracket.current_trials(), bracket._cumul_r
    for loss, trial in enumerate(trials):
        report(scheduler, controller, trial, rung, loss)
    *waiting, ending = [trial for trial in trials if trial.status != Trial.TERMINATED]
    assert waiting
    rung = bracket._cumul_r
    for loss, trial in enumerate(waiting):
        trial.status = Trial.RUNNING
        report(scheduler, controller, trial, rung, loss)
    assert {trial.status for trial in waiting} == {Trial.PAUSED}
    ending.status = Trial.TERMINATED
    scheduler.on_trial_complete(controller, ending, {"step": rung - 1})
    assert not [t for t in waiting if t.status == Trial.PAUSED and t not in bracket.trials_to_unpause]


@pytest.mark.parametrize("kind", ["HyperBand", "BOHB"])
def test_survivors_that_have_done_the_next_rungs_too_are_not_left_paused(kind: str) -> None:
    scheduler = scheduler_of(kind)
    controller = FakeController(scheduler)
    for number in range(46):
        scheduler.on_trial_add(controller, FakeTrial(f"trial-{number}"))
    bracket = next(each for each in scheduler._hyperbands[0] if each is not None and each._halves == 2)
    trials = bracket.current_trials()
    for loss, trial in enumerate(trials):  # each reports first after the second rung, and the last closes the first one
        report(scheduler, controller, trial, 30, loss)
    left = [trial for trial in trials if trial.status == Trial.PAUSED]
    assert [trial for trial in left if trial in bracket.trials_to_unpause] == left
    assert len(trials) - len(controller.stopped) <= 3, "two halvings at once"


def test_a_trial_that_is_being_paused_is_stopped_with_its_bracket() -> None:
    scheduler = scheduler_of("HyperBand")
    controller = FakeController(scheduler)
    pausing, last = (FakeTrial(f"trial-{number}") for number in range(2))
    for trial in (pausing, last):
        scheduler.on_trial_add(controller, trial)
    result = {"step": 36, "validation_loss": 1.0}
    assert scheduler.on_trial_result(controller, pausing, result) == scheduler.PAUSE
    pausing.is_saving = True  # its status is RUNNING until its checkpoint is there
    assert scheduler.on_trial_result(controller, last, result) == scheduler.STOP
    assert controller.stopped == ["trial-0"]
