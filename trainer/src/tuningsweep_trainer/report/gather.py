"""Reads all that a report shows from a sweep's results; called by `write_report`, the only part of the report with I/O.

What can't be read is passed over and noted, so that results of a crashed or live sweep give a report too.
"""

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pydantic import ValidationError

from tuningsweep_api.messages import DesiredState, SweepState
from tuningsweep_api.names import RESULT_KEY, SWEEP_KEY
from tuningsweep_api.outcomes import Outcome
from tuningsweep_api.pareto import spread
from tuningsweep_api.spec.limits import Limits
from tuningsweep_api.spec.sweep import ParallelTrialCount, TuningSweep
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.report.errors import ReportError
from tuningsweep_trainer.results.desired import DesiredFile
from tuningsweep_trainer.results.ledger import Ledger, LimitWarning, Unfinished
from tuningsweep_trainer.results.store import Store, open_store
from tuningsweep_trainer.results.traces import TrialTrace, read_traces, traced_trials

TRACES_READ: Final = 200
"""Trials whose curves are drawn: more would neither be told apart nor keep the page small."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Results:
    """What is on record of a sweep at a moment."""

    source: str
    sweep: TuningSweep
    now: datetime
    """When it was read, with time zone."""
    state: SweepState | None = None
    """The last state; None for a sweep that has not ended or left none."""
    records: list[TrialRecord] = field(default_factory=list)
    """In the order of their end."""
    unfinished: dict[str, Unfinished] = field(default_factory=dict)
    warnings: list[LimitWarning] = field(default_factory=list)
    traces: dict[str, list[TrialTrace]] = field(default_factory=dict)
    """By trial, those of its training processes, oldest first; of TRACES_READ trials at most."""
    traced: int = 0
    """Trials that have a trace."""
    desired: DesiredState | None = None
    """What was last in force, where the driver has kept it; else it is as the sweep was at its start."""
    notes: list[str] = field(default_factory=list)
    """What is missing or could not be read, a sentence each."""

    @property
    def limits(self) -> Limits:
        """The limits last in force."""
        return (self.desired or self.sweep.spec).limits

    @property
    def max_trial_count(self) -> int:
        """The count last in force."""
        return (self.desired or self.sweep.spec).max_trial_count

    @property
    def parallel_trial_count(self) -> ParallelTrialCount:
        """The count last in force."""
        return (self.desired or self.sweep.spec).parallel_trial_count


def gather(source: str, now: datetime, sweep: TuningSweep | None = None, store: Store | None = None) -> Results:
    """Everything at a folder or URI, or in a store that is open already and is called `source` for people.

    `sweep` is for results without a sweep.json; ReportError if there is neither.
    """
    store = store or open_store(source)
    notes: list[str] = []
    sweep = sweep or _read_sweep(store, source)
    state = _read_state(store, notes)
    desired = DesiredFile(store).read()
    history = Ledger(store).load()
    traced = traced_trials(store)
    chosen = choose_traced(traced, history.records, history.unfinished, TRACES_READ)
    traces = {trial: found for trial in chosen if (found := read_traces(store, trial))}
    if state is not None and state.result is not None and history.unfinished:
        notes.append(
            f"The sweep has ended, but {len(history.unfinished)} of its trials have no record that can be read."
        )
    return Results(
        source=source,
        sweep=sweep,
        now=now,
        state=state,
        records=history.records,
        unfinished=history.unfinished,
        warnings=history.warnings,
        traces=traces,
        traced=len(traced),
        desired=desired,
        notes=notes,
    )


def choose_traced(
    traced: Sequence[str], records: Iterable[TrialRecord], unfinished: Iterable[str], most: int
) -> list[str]:
    """Trials whose curves are read: those still running and half of the room for those over a limit, then the others.

    Of more than fit, every second, third, ... is taken.
    """
    there = set(traced)
    over = [r.trial for r in records if r.outcome is Outcome.LIMIT_EXCEEDED and r.trial in there]
    running = [trial for trial in unfinished if trial in there]
    first = spread(running, most // 4)
    first += spread(over, most // 2)
    taken = set(first)
    others = [trial for trial in traced if trial not in taken and trial not in set(over)]
    return first + spread(others, most - len(first))


def _read_sweep(store: Store, source: str) -> TuningSweep:
    content = store.read(SWEEP_KEY)
    if content is None:
        raise ReportError(
            f"{source} holds no {SWEEP_KEY}; give the folder of one sweep's results, such as results/SWEEP"
        )
    try:
        return TuningSweep.from_stored(json.loads(content))
    except (ValidationError, ValueError, TypeError) as error:
        raise ReportError(f"{source}/{SWEEP_KEY} can't be read: {error}; give the manifest beside it") from error


def _read_state(store: Store, notes: list[str]) -> SweepState | None:
    content = store.read(RESULT_KEY)
    if content is None:
        return None
    try:
        return SweepState.read(content)
    except ValidationError:
        log.warning("%s can't be read and is passed over", RESULT_KEY)
        notes.append(f"{RESULT_KEY} can't be read, so how the sweep ended is not known.")
        return None
