"""The ledger of a sweep: which trial got which parameters, how each ended, what was warned of.

The truth that survives every crash: an assignment is on disk before its trial starts, a record the moment it ends, and a
restarted driver believes nothing else. `trials.jsonl` has one line a trial.
"""

import logging
from dataclasses import dataclass, field
from typing import Final, TypeVar

from pydantic import ValidationError

from tuningsweep_api.model import Model
from tuningsweep_api.outcomes import Reason
from tuningsweep_api.trials import ParameterValue, TrialRecord
from tuningsweep_trainer.results.store import ObjectStore, Store

TRIALS: Final = "trials.jsonl"
ASSIGNMENTS: Final = "assignments.jsonl"
WARNINGS: Final = "warnings.jsonl"

log = logging.getLogger(__name__)


class Assignment(Model):
    """A line of assignments.jsonl: a trial's parameters, written when it is assigned and at each start."""

    trial: str
    parameters: dict[str, ParameterValue]
    """As last changed (population based training changes them)."""
    attempt: int = 0
    """0: assigned; 1 and up: the training processes started."""
    time: str
    """RFC 3339."""


class LimitWarning(Model):
    """A line of warnings.jsonl: a trial went over a limit whose action is Warn."""

    trial: str
    reason: Reason
    observed: float
    limit: float
    time: str


Line = TypeVar("Line", bound=Model)


@dataclass
class Unfinished:
    """A trial that was assigned and has no record."""

    parameters: dict[str, ParameterValue]
    attempts: int = 0
    first_start: str | None = None


@dataclass
class History:
    """What the ledger knows."""

    records: list[TrialRecord] = field(default_factory=list)
    """Ended trials in the order of their end."""
    unfinished: dict[str, Unfinished] = field(default_factory=dict)
    """Assigned trials without a record, in the order of assignment."""
    assigned: int = 0
    """Trials assigned so far."""
    warnings: list[LimitWarning] = field(default_factory=list)


class Ledger:
    """Reads and writes the ledger in a sweep's results."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def assign(self, assignment: Assignment) -> None:
        """Put an assignment or a start on record before it takes place.

        The assignment is durable; of a start, a crash of the machine may lose the number of the attempt.
        """
        self._append(ASSIGNMENTS, assignment, durable=assignment.attempt == 0)

    def record(self, record: TrialRecord) -> None:
        """Put a trial's end on record, durably."""
        self._append(TRIALS, record)

    def warn(self, warning: LimitWarning) -> None:
        """Put a limit warning on record."""
        self._append(WARNINGS, warning)

    def load(self) -> History:
        """Everything on record; a line torn by a crash is dropped and logged."""
        history = History(
            records=_one_each(self._read(TRIALS, TrialRecord)), warnings=self._read(WARNINGS, LimitWarning)
        )
        trials: dict[str, Unfinished] = {}
        for assignment in self._read(ASSIGNMENTS, Assignment):
            trial = trials.setdefault(assignment.trial, Unfinished(assignment.parameters))
            trial.parameters = assignment.parameters
            trial.attempts = max(trial.attempts, assignment.attempt)
            if assignment.attempt and trial.first_start is None:
                trial.first_start = assignment.time
        history.assigned = len(trials)
        ended = {record.trial for record in history.records}
        history.unfinished = {name: trial for name, trial in trials.items() if name not in ended}
        return history

    def fold(self) -> None:
        """Write trials.jsonl in one piece where it was kept as one object a line."""
        if isinstance(self._store, ObjectStore):
            self._store.write(TRIALS, b"".join(line + b"\n" for line in self._store.lines(TRIALS)))

    def _append(self, path: str, line: Model, *, durable: bool = True) -> None:
        self._store.append(path, line.model_dump_json(by_alias=True, exclude_none=True).encode(), durable=durable)

    def _read(self, path: str, kind: type[Line]) -> list[Line]:
        read: list[Line] = []
        for number, line in enumerate(self._store.lines(path), start=1):
            try:
                read.append(kind.read(line))
            except ValidationError:
                log.warning("%s line %d is torn or not readable, and is passed over", path, number)
        return read


def _one_each(records: list[TrialRecord]) -> list[TrialRecord]:
    """The first record of each trial; a second one can only be left by hand."""
    first: dict[str, TrialRecord] = {}
    for record in records:
        first.setdefault(record.trial, record)
    return list(first.values())
