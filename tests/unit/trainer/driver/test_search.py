"""Trials that cost Tune little, and whether it keeps a paused one's actor: while the search says that more is to come."""

from types import SimpleNamespace
from typing import Any

import pytest
from ray.tune import PlacementGroupFactory, Trainable
from ray.tune.experiment import Experiment, Trial

from tuningsweep_trainer.driver import search as module
from tuningsweep_trainer.driver.callback import BookKeeper
from tuningsweep_trainer.driver.search import KEPT, SweepSearch, SweepTrial, TrialKind


class OneTrial:
    """A book with one trial to hand out."""

    nothing_left = False

    def next_trial(self) -> Any:
        handed_out, self.nothing_left = self.nothing_left, True
        return None if handed_out else ("trial-0000", {"x": 1.0})

    def expected_memory(self, parameters: Any) -> None:
        return None


class FakeTrial(SimpleNamespace):
    def is_finished(self) -> bool:
        return self.status in (Trial.TERMINATED, Trial.ERROR)


@pytest.fixture
def trial(monkeypatch: pytest.MonkeyPatch) -> FakeTrial:
    made = FakeTrial(status=Trial.PENDING)
    monkeypatch.setattr(module.SweepTrial, "of", lambda *_: made)
    return made


def search_of_one() -> SweepSearch:
    """As Tune has it once it has told its experiment."""
    search = SweepSearch(OneTrial())  # type: ignore[arg-type]
    search.add_configurations(Experiment("e", Counted))
    return search


class Counted(Trainable):
    """Says what it needs, and counts how often it was asked."""

    asked = 0

    @classmethod
    def default_resource_request(cls, config: dict[str, Any]) -> PlacementGroupFactory:
        cls.asked += 1
        return PlacementGroupFactory([{"CPU": 0.5}])


def test_the_search_goes_on_while_a_trial_may_have_to_start_again(trial: FakeTrial) -> None:
    search = search_of_one()
    assert search.next_trial() is trial
    for trial.status in (Trial.RUNNING, Trial.PAUSED, Trial.PENDING):
        assert search.next_trial() is None
        assert not search.is_finished()
    trial.status = Trial.TERMINATED
    assert search.is_finished()


def test_tune_marks_a_trial_as_ended_for_a_moment_when_it_pauses_it(trial: FakeTrial) -> None:
    search = search_of_one()
    search.next_trial()
    trial.status = Trial.TERMINATED
    search.is_finished()
    trial.status = Trial.PAUSED
    assert not search.is_finished()


def test_trials_share_their_class_and_what_they_ask_ray_for() -> None:
    kind = TrialKind(Experiment("e", Counted).spec)
    Counted.asked = 0
    trials = [SweepTrial.of(kind, f"trial-{number:04d}", {"x": 1.0}, None) for number in range(3)]
    for trial in trials:
        trial.create_placement_group_factory()
    assert Counted.asked == 1
    assert {id(trial.placement_group_factory) for trial in trials} == {id(kind.resources)}
    assert kind.resources.required_resources == {"CPU": 0.5}
    assert {trial.get_trainable_cls() for trial in trials} == {kind.trainable}


def test_a_trial_keeps_its_last_result_and_after_its_end_nothing_of_its_own() -> None:
    kind = TrialKind(Experiment("e", Counted).spec)
    first, second = (SweepTrial.of(kind, f"trial-000{number}", {"x": 1.0}, None) for number in range(2))
    for trial in (first, second):
        trial.set_ray_actor(object())  # which could not be asked anything
        for loss in (2.0, 1.0):
            trial.update_last_result({"loss": loss, "training_iteration": 1, "time_total_s": 0.1})
        assert trial.last_result["loss"] == 1.0
        assert trial.metric_analysis == {}
        trial.shrink()
        assert "loss" not in trial.last_result
    assert vars(first).keys() == set(KEPT)
    assert first.storage is second.storage
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = first.no_such_thing
    assert (first.trial_id, second.trial_id) == ("trial-0000", "trial-0001")
    assert len({first, second}) == 2


def test_ended_trials_leave_tunes_list_but_for_the_last() -> None:
    kind = TrialKind(Experiment("e", Counted).spec)
    trials = [SweepTrial.of(kind, f"trial-000{number}", {"x": 1.0}, None) for number in range(4)]
    ended, running, failed, last = trials
    ended.status, running.status, failed.status, last.status = (
        Trial.TERMINATED,
        Trial.RUNNING,
        Trial.ERROR,
        Trial.TERMINATED,
    )
    BookKeeper(OneTrial(), may_pause=False).on_step_end(1, trials)  # type: ignore[arg-type]
    assert trials == [running, last]
    assert ended.config == failed.config == {"trial": "ended", "parameters": {}, "expected_memory": None}
    assert last.config["trial"] == "trial-0003"
