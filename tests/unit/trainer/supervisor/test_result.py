"""What a result says of a trial, while reports that Tune has not seen are there already."""

import pytest

from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_trainer.driver.records import ending_of
from tuningsweep_trainer.supervisor.ending import finished
from tuningsweep_trainer.supervisor.measuring import Totals
from tuningsweep_trainer.supervisor.reports import Report
from tuningsweep_trainer.supervisor.result import TrialResult

MAX_STEPS = 1000
AHEAD = Totals(steps=1050)


@pytest.mark.parametrize(("step", "outcome"), [(700, Outcome.PRUNED), (1050, Outcome.SUCCEEDED)])
def test_what_the_scheduler_decided_by_a_report_is_told_by_its_step(step: int, outcome: Outcome) -> None:
    result = TrialResult.of("process", None, AHEAD, Report({"loss": 1.0}, step, None), None)
    ended = ending_of(result, MAX_STEPS)
    assert (ended.outcome, ended.steps) == (outcome, step)


def test_a_trial_that_ends_by_itself_has_done_all_its_steps() -> None:
    result = TrialResult.of("process", finished(), AHEAD, Report({"loss": 1.0}, 700, None), None)
    assert (result.steps, result.reason) == (1050, Reason.COMPLETED)
