"""A free actor goes to a trial that has none, whichever scheduler chooses, and is kept for one that is paused."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from ray.tune.experiment import Trial
from ray.tune.utils.object_cache import _ObjectCache

from support.sweeps import sweep_manifest
from tuningsweep_api.spec.search import SchedulerType
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.driver.schedulers import Bounded, Fifo, InOrder, LetsActorsStart, make_scheduler


@dataclass(eq=False)
class Waiting:
    """What a scheduler looks at of a Tune trial."""

    trial_id: str
    status: str = Trial.PENDING
    placement_group_factory: str = "a core"
    PENDING = Trial.PENDING
    PAUSED = Trial.PAUSED
    RUNNING = Trial.RUNNING

    def is_finished(self) -> bool:
        return self.status in (Trial.ERROR, Trial.TERMINATED)


@dataclass
class Controller:
    """What a scheduler asks of Tune's controller."""

    trials: list[Waiting]
    started_for: list[Waiting] = field(default_factory=list)
    _actor_cache: _ObjectCache = field(default_factory=_ObjectCache)

    def get_live_trials(self) -> set[Waiting]:
        return set(self.trials)

    @property
    def _trial_to_actor(self) -> dict[Waiting, object]:
        return dict.fromkeys(self.started_for, object())


class Chooses:
    """A scheduler that chooses what it is told to."""

    def __init__(self, chosen: Waiting | None) -> None:
        self.chosen = chosen

    def choose_trial_to_run(self, tune_controller: Any) -> Waiting | None:
        return self.chosen


class Choosing(LetsActorsStart, Chooses):
    """The same, with the mixin."""


class Holding(Bounded, Chooses):
    """The same, for one that pauses trials; two may run."""

    def allowed(self) -> int:
        return 2


def trials(*numbers: int) -> list[Waiting]:
    return [Waiting(f"trial-{number:04d}") for number in numbers]


def test_a_trial_without_an_actor_goes_before_one_whose_actor_starts() -> None:
    starting, new = trials(1, 2)
    assert Fifo().choose_trial_to_run(Controller([new, starting], [starting])) is new
    assert Choosing(starting).choose_trial_to_run(Controller([new, starting], [starting])) is new


def test_nothing_is_chosen_while_all_wait_for_their_own() -> None:
    both = trials(1, 2)
    assert Fifo().choose_trial_to_run(Controller(both, both)) is None
    assert Choosing(both[0]).choose_trial_to_run(Controller(both, both)) is None


def test_the_scheduler_s_own_choice_stands_otherwise() -> None:
    first, second = trials(1, 2)
    assert Choosing(second).choose_trial_to_run(Controller([first, second])) is second
    paused = Waiting("trial-0003", Trial.PAUSED)
    assert Choosing(paused).choose_trial_to_run(Controller([first, paused], [paused])) is paused
    assert Choosing(None).choose_trial_to_run(Controller([first])) is None


def test_trials_start_in_the_order_of_their_making() -> None:
    made = trials(10_000, 9_999, 12)
    assert Fifo().choose_trial_to_run(Controller(made)) is made[2]
    assert Fifo().choose_trial_to_run(Controller(made[:2])) is made[1]
    made[1].status = Trial.RUNNING
    assert Fifo().choose_trial_to_run(Controller(made[:2])) is made[0]


def free_actors_kept(scheduler: Holding, controller: Controller) -> int:
    """Of three that become free after the scheduler was asked; Tune's own cache keeps one in any case."""
    scheduler.choose_trial_to_run(controller)
    for number in range(3):
        controller._actor_cache.cache_object("a core", number)
    kept = controller._actor_cache.num_cached_objects
    list(controller._actor_cache.flush_cached_objects(force_all=True))
    return kept


def test_free_actors_are_kept_while_trials_are_paused() -> None:
    first, second = trials(1, 2)
    given_up = Waiting("trial-0003", Trial.ERROR, placement_group_factory="nothing")
    scheduler, controller = Holding(None), Controller([given_up, first, second])
    assert free_actors_kept(scheduler, controller) == 1
    first.status = Trial.PAUSED
    assert free_actors_kept(scheduler, controller) == free_actors_kept(scheduler, controller) == 2
    first.status = Trial.RUNNING
    assert free_actors_kept(scheduler, controller) == 1


@pytest.mark.parametrize("kind", list(SchedulerType))
def test_every_scheduler_lets_actors_start(kind: SchedulerType) -> None:
    alpha = {"name": "alpha", "parameterType": "double", "feasibleSpace": {"min": "0.1", "max": "1"}}
    manifest = sweep_manifest(spec__scheduler={"type": kind.value}, spec__parameters=[alpha])
    assert isinstance(make_scheduler(TuningSweep.from_manifest(manifest).spec, lambda: 2), InOrder | LetsActorsStart)
