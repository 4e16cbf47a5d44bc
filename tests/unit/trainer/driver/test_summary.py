"""The summary of a sweep for its metrics: trials by outcome and reason, CPU time, the best objective."""

from support.sweeps import sweep_manifest
from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.driver.live import Live, Progress
from tuningsweep_trainer.driver.summary import summarise
from tuningsweep_trainer.driver.tally import Tally
from tuningsweep_trainer.node.summary import EndedTrials, SweepSummary

SWEEP = TuningSweep.from_manifest(sweep_manifest())


def record(number: int, outcome: Outcome, reason: Reason, loss: float) -> TrialRecord:
    return TrialRecord(
        trial=f"trial-{number:04d}",
        parameters={},
        outcome=outcome,
        reason=reason,
        metrics={"validation_loss": loss},
        cpu_seconds=1.5,
        completion_time="2026-01-01T00:00:00Z",
    )


def test_a_sweep_that_has_not_begun() -> None:
    assert summarise(Progress(Tally(SWEEP.spec.objective), {}, 0, None)) == SweepSummary()


def test_ended_trials_by_outcome_and_reason_with_their_cpu_time() -> None:
    records = [
        record(0, Outcome.SUCCEEDED, Reason.COMPLETED, 0.5),
        record(1, Outcome.LIMIT_EXCEEDED, Reason.MEMORY_LIMIT_EXCEEDED, 0.1),
        record(2, Outcome.LIMIT_EXCEEDED, Reason.MEMORY_LIMIT_EXCEEDED, 0.2),
    ]
    live = {"trial-0003": Live({}, running=True), "trial-0004": Live({}), "trial-0005": Live({}, paused=True)}
    live["trial-0006"] = Live({}, running=True, held="it may need 3Mi")
    tally = Tally(SWEEP.spec.objective)
    for ended in records:
        tally.add(ended)
    found = summarise(Progress(tally, live, 1, None))
    assert found.ended == [
        EndedTrials(outcome=Outcome.SUCCEEDED, reason=Reason.COMPLETED, count=1, cpu_seconds=1.5),
        EndedTrials(outcome=Outcome.LIMIT_EXCEEDED, reason=Reason.MEMORY_LIMIT_EXCEEDED, count=2, cpu_seconds=3.0),
    ]
    assert (found.pending, found.held, found.running, found.warnings) == (3, 1, 1, 1)
    assert found.best_objective == 0.5, "a trial over a limit is never the best"
