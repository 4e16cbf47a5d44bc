"""The tally of ended trials: counts, stops and the best one, kept as records come, so that a state costs the same after
ten thousand trials as after ten. The records themselves are in the ledger.

Filled by the book, read by state.py and sweep_end.py.
"""

import copy
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from typing import Self

from tuningsweep_api.messages import RECENT_STOPS_KEPT
from tuningsweep_api.optimal import joined, objective_values
from tuningsweep_api.outcomes import LIMIT_REASONS, Outcome, Reason
from tuningsweep_api.spec.objective import Objective
from tuningsweep_api.trials import OptimalTrial, StopRecord, TrialRecord


def is_stop(record: TrialRecord) -> bool:
    """Whether a trial's end is told as a stop: by a limit, a person, or the kernel."""
    return record.reason in LIMIT_REASONS or record.reason in (Reason.STOP_REQUESTED, Reason.OOM_KILLED)


@dataclass
class Tally:
    """What is remembered of the trials that have ended."""

    objective: Objective
    endings: Counter[tuple[Outcome, Reason]] = field(default_factory=Counter)
    cpu_seconds: defaultdict[tuple[Outcome, Reason], float] = field(default_factory=lambda: defaultdict(float))
    stop_count: int = 0
    recent_stops: deque[StopRecord] = field(default_factory=lambda: deque(maxlen=RECENT_STOPS_KEPT))
    front: list[OptimalTrial] = field(default_factory=list)
    """Trials that kept the limits and that no other beats in every objective; with one objective the best."""
    reported_objective: bool = False
    """Whether any trial has reported the objective, or all of several."""
    last_failure: str = ""
    first_metric_missing: str = ""

    @property
    def best(self) -> OptimalTrial | None:
        """The best trial that kept the limits, by the first objective; the earlier one of equals."""
        return self.front[0] if self.front else None

    @property
    def ended(self) -> int:
        """Trials that have ended."""
        return self.endings.total()

    @property
    def outcomes(self) -> Counter[Outcome]:
        """Ended trials by outcome."""
        counts: Counter[Outcome] = Counter()
        for (outcome, _), count in self.endings.items():
            counts[outcome] += count
        return counts

    @property
    def reasons(self) -> Counter[Reason]:
        """Ended trials by reason."""
        counts: Counter[Reason] = Counter()
        for (_, reason), count in self.endings.items():
            counts[reason] += count
        return counts

    def add(self, record: TrialRecord) -> None:
        """A trial has ended."""
        self.endings[record.outcome, record.reason] += 1
        self.cpu_seconds[record.outcome, record.reason] += record.cpu_seconds
        self.reported_objective |= objective_values(self.objective, record) is not None
        if is_stop(record):
            self.stop_count += 1
            self.recent_stops.append(_stop(self.stop_count, record))
        if record.outcome is Outcome.FAILED:
            self.last_failure = record.message
            if record.reason is Reason.METRIC_MISSING:
                self.first_metric_missing = self.first_metric_missing or record.message
        self.front = joined(self.objective, self.front, record)

    def copy(self) -> Self:
        """A copy that stays as it is."""
        return type(self)(**{name: copy.copy(value) for name, value in vars(self).items()})


def _stop(number: int, record: TrialRecord) -> StopRecord:
    return StopRecord(
        sequence=number,
        trial=record.trial,
        outcome=record.outcome,
        reason=record.reason,
        observed=record.observed,
        limit=record.limit,
        time=record.completion_time,
        message=record.message,
    )
