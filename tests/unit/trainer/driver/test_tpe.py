"""TPE is told of every trial that ended, and goes on after a restart without repeating itself."""

import pytest

from support.sweeps import sweep_manifest
from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.driver.proposals import TpeProposer
from tuningsweep_trainer.driver.search_space import Parameters

SPEC = TuningSweep.from_manifest(sweep_manifest(spec__search={"algorithmName": "tpe", "seed": 3})).spec


def record(trial: str, parameters: Parameters, outcome: Outcome, loss: float | None) -> TrialRecord:
    return TrialRecord(
        trial=trial,
        parameters=parameters,
        outcome=outcome,
        reason=Reason.COMPLETED,
        metrics={} if loss is None else {"validation_loss": loss},
        completion_time="2026-01-01T00:00:00Z",
    )


def states(proposer: TpeProposer) -> list[str]:
    return [trial.state.name for trial in proposer._search._ot_study.trials]


OUTCOMES = [
    (Outcome.SUCCEEDED, 0.5, "COMPLETE"),
    (Outcome.PRUNED, 0.9, "COMPLETE"),
    (Outcome.LIMIT_EXCEEDED, 0.1, "PRUNED"),
    (Outcome.FAILED, None, "FAIL"),
    (Outcome.STOPPED, 0.3, "FAIL"),
]


@pytest.mark.parametrize(("outcome", "loss", "state"), OUTCOMES)
def test_each_outcome_is_told_live_and_after_a_restart(outcome: Outcome, loss: float | None, state: str) -> None:
    live = TpeProposer(SPEC, 0)
    parameters = live.propose(0, "trial-0000")
    assert parameters is not None
    ended = record("trial-0000", parameters, outcome, loss)
    live.ended(ended, loss)
    restarted = TpeProposer(SPEC, 1)
    restarted.ended(ended, loss)
    assert states(live) == states(restarted) == [state]


def test_a_restart_does_not_propose_the_first_points_again() -> None:
    first, second = TpeProposer(SPEC, 0), TpeProposer(SPEC, 1)
    assert first.propose(0, "trial-0000") != second.propose(1, "trial-0001")
