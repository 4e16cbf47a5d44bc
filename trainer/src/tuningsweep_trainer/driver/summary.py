"""The pure fold from the book's progress to the SweepSummary that the node agent serves as metrics."""

from collections import defaultdict

from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.driver.book import Progress
from tuningsweep_trainer.driver.state import optimal_trial
from tuningsweep_trainer.node.summary import EndedTrials, SweepSummary


def summarise(sweep: TuningSweep, progress: Progress) -> SweepSummary:
    """The sweep in a few numbers."""
    counts: defaultdict[tuple[Outcome, Reason], int] = defaultdict(int)
    cpu_seconds: defaultdict[tuple[Outcome, Reason], float] = defaultdict(float)
    for record in progress.records:
        counts[record.outcome, record.reason] += 1
        cpu_seconds[record.outcome, record.reason] += record.cpu_seconds
    running = sum(live.running for live in progress.live.values())
    best = optimal_trial(sweep, progress.records)
    return SweepSummary(
        ended=[
            EndedTrials(outcome=outcome, reason=reason, count=count, cpu_seconds=cpu_seconds[outcome, reason])
            for (outcome, reason), count in counts.items()
        ],
        pending=len(progress.live) - running,
        running=running,
        warnings=progress.warnings,
        best_objective=None if best is None else best.objective,
    )
