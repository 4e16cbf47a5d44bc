"""HyperBand with trials that end by themselves: nothing stays paused for ever."""

from dataclasses import dataclass, field

from ray.tune.experiment import Trial

from support.sweeps import BASE, edited
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.driver.schedulers import BoundedHyperBand, make_scheduler

SWEEP = TuningSweep.from_manifest(
    edited(BASE, {"spec.scheduler": {"type": "HyperBand", "maxSteps": 36, "gracePeriodSteps": 4, "reductionFactor": 3}})
)


@dataclass(eq=False)
class FakeTrial:
    """As much of a Tune trial as the scheduler looks at."""

    trial_id: str
    status: str = Trial.RUNNING
    is_saving: bool = False


@dataclass
class FakeController:
    """Stops trials as Tune's controller does: the scheduler hears of it."""

    scheduler: BoundedHyperBand
    stopped: list[str] = field(default_factory=list)

    def stop_trial(self, trial: FakeTrial) -> None:
        self.stopped.append(trial.trial_id)
        trial.status = Trial.TERMINATED
        self.scheduler.on_trial_remove(self, trial)


def test_a_paused_trial_is_stopped_when_the_last_other_one_of_its_bracket_ends_at_a_limit() -> None:
    scheduler = make_scheduler(SWEEP.spec, allowed=lambda: 2)
    assert isinstance(scheduler, BoundedHyperBand)
    scheduler.set_search_properties("validation_loss", "min")
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
