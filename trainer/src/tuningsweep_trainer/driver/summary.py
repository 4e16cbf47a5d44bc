"""The pure fold from the book's progress to the SweepSummary that the node agent serves as metrics."""

from tuningsweep_trainer.driver.book import Progress
from tuningsweep_trainer.node.summary import EndedTrials, SweepSummary


def summarise(progress: Progress) -> SweepSummary:
    """The sweep in a few numbers."""
    tally = progress.tally
    running = sum(live.running for live in progress.live.values())
    return SweepSummary(
        ended=[
            EndedTrials(outcome=outcome, reason=reason, count=count, cpu_seconds=tally.cpu_seconds[outcome, reason])
            for (outcome, reason), count in tally.endings.items()
        ],
        pending=len(progress.live) - running,
        running=running,
        warnings=progress.warnings,
        best_objective=None if tally.best is None else tally.best.objective,
    )
