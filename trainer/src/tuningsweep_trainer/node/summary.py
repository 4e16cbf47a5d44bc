"""What the driver tells the agent of its own node about the whole sweep, to be served as metrics; see exporter.py."""

from tuningsweep_api.model import Model
from tuningsweep_api.outcomes import Outcome, Reason


class EndedTrials(Model):
    """Trials that ended the same way."""

    outcome: Outcome
    reason: Reason
    count: int
    cpu_seconds: float
    """CPU time of their training processes together."""


class SweepSummary(Model):
    """The sweep in a few numbers, whatever the number of trials."""

    ended: list[EndedTrials] = []
    pending: int = 0
    held: int = 0
    """Those of the pending ones that wait for memory."""
    running: int = 0
    warnings: int = 0
    """Limit warnings so far (limits.action Warn)."""
    best_objective: float | None = None
