"""What every source of a sweep can tell, so that the commands need not know where it comes from."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tuningsweep_api.optimal import optimal_trial
from tuningsweep_api.outcomes import Phase
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import OptimalTrial, RunningTrial, TrialCounts, TrialRecord
from tuningsweep_trainer.results.traces import TrialTrace


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sweep is."""

    phase: Phase
    message: str = ""
    """Why it is in that phase."""
    trials: TrialCounts = field(default_factory=TrialCounts)
    running: tuple[RunningTrial, ...] = ()
    optimal: OptimalTrial | None = None
    interrupted: bool = False
    """It has not ended, and nobody is at it: nothing more will happen until it is started again."""

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.phase in (Phase.COMPLETE, Phase.FAILED)


class Source(ABC):
    """A sweep and its trials."""

    sweep: TuningSweep
    place: str
    """Where it is read from, for people."""

    @abstractmethod
    def progress(self) -> Progress:
        """How far it is now."""

    @abstractmethod
    def records(self, after: int = 0) -> list[TrialRecord]:
        """Ended trials in the order of their end, without the first `after`."""

    @abstractmethod
    def traces(self, trial: str) -> list[TrialTrace]:
        """Traces of a trial's training processes, oldest first; empty where none were kept."""

    def close(self) -> None:  # noqa: B027 - most sources have nothing to give back
        """Give back what was taken to read it; called once, also after an error."""


def folded(records: Sequence[TrialRecord], running: int = 0, pending: int = 0) -> TrialCounts:
    """Counts of trials, from their records and how many have none."""
    return TrialCounts.of(Counter(record.outcome for record in records), pending=pending, running=running)


def best_of(sweep: TuningSweep, records: Sequence[TrialRecord]) -> OptimalTrial | None:
    """The best of some records."""
    return optimal_trial(sweep.spec.objective, records)
