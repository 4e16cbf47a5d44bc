"""The pure fold from the book's progress to the SweepSummary that the node agent serves as metrics."""

from tuningsweep_trainer.driver.live import Progress
from tuningsweep_trainer.node.summary import EndedTrials, SweepSummary


def summarise(progress: Progress) -> SweepSummary:
    """The sweep in a few numbers."""
    tally = progress.tally
    running, held = len(progress.running), len(progress.held)
    return SweepSummary(
        ended=[
            EndedTrials(outcome=outcome, reason=reason, count=count, cpu_seconds=tally.cpu_seconds[outcome, reason])
            for (outcome, reason), count in tally.endings.items()
        ],
        pending=len(progress.live) - running,
        held=held,
        running=running,
        warnings=progress.warnings,
        best_objective=None if tally.best is None else tally.best.objective,
    )
