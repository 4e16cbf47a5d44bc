"""Whether Tune keeps a paused trial's actor: it does while the search says that more is to come."""

from types import SimpleNamespace
from typing import Any

import pytest
from ray.tune.experiment import Trial

from tuningsweep_trainer.driver import search as module
from tuningsweep_trainer.driver.search import SweepSearch


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


def test_the_search_goes_on_while_a_trial_may_have_to_start_again(trial: FakeTrial) -> None:
    search = SweepSearch(OneTrial())  # type: ignore[arg-type]
    assert search.next_trial() is trial
    for trial.status in (Trial.RUNNING, Trial.PAUSED, Trial.PENDING):
        assert search.next_trial() is None
        assert not search.is_finished()
    trial.status = Trial.TERMINATED
    assert search.is_finished()


def test_tune_marks_a_trial_as_ended_for_a_moment_when_it_pauses_it(trial: FakeTrial) -> None:
    search = SweepSearch(OneTrial())  # type: ignore[arg-type]
    search.next_trial()
    trial.status = Trial.TERMINATED
    search.is_finished()
    trial.status = Trial.PAUSED
    assert not search.is_finished()
