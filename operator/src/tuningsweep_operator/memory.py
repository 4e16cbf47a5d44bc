"""What the reconciler remembers of a sweep from one reconcile to the next; an operator that starts anew does without."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tuningsweep_operator.access import ControlAccess


@dataclass
class Memory:
    """What is worth remembering of a sweep between reconciles; all of it can be found out again."""

    uid: str
    access: ControlAccess | None = None
    """Known once the owned objects were applied."""
    applied: tuple[int, bool, bool, tuple[str, ...], tuple[tuple[str, str], ...]] | None = None
    """Generation, suspend, whether held back, stop requests and labels of the queue for which the owned objects were
    last applied."""
    applied_at: float = 0.0
    written_at: float = 0.0
    stops_told: int = 0
    """Sequence number of the newest stop that Events tell of; the status may count it a little later."""
    overdue_at: datetime | None = None
    """When this process first saw that the deadline had gone by: a driver is told of it only then."""

    def since_deadline(self, due: datetime | None, now: datetime) -> timedelta | None:
        """Time since then; None if the deadline has not gone by, or not any more."""
        if due is None or now <= due:
            self.overdue_at = None
            return None
        self.overdue_at = self.overdue_at or now
        return now - self.overdue_at
