"""Which trial is the best: the driver's tally and the command line, which reads records without a driver, must agree."""

from collections.abc import Iterable
from typing import Final

from tuningsweep_api.outcomes import Outcome
from tuningsweep_api.spec.objective import Objective, ObjectiveType
from tuningsweep_api.trials import OptimalTrial, TrialRecord

TRAINED: Final = (Outcome.SUCCEEDED, Outcome.PRUNED)
"""Outcomes of trials that kept the limits, so that their objective counts."""


def is_as_good(objective: Objective, value: float, other: float) -> bool:
    """Whether an objective's value is as good as another one."""
    return value <= other if objective.type is ObjectiveType.MINIMIZE else value >= other


def better(objective: Objective, best: OptimalTrial | None, record: TrialRecord) -> OptimalTrial | None:
    """The best trial once another one has ended; the earlier one of equals."""
    value = record.metrics.get(objective.objective_metric_name)
    if record.outcome not in TRAINED or value is None:
        return best
    if best is not None and is_as_good(objective, best.objective, value):
        return best
    shown = {name: record.metrics[name] for name in objective.additional_metric_names if name in record.metrics}
    return OptimalTrial(trial=record.trial, parameters=record.parameters, objective=value, metrics=shown)


def optimal_trial(objective: Objective, records: Iterable[TrialRecord]) -> OptimalTrial | None:
    """The best of records in the order of their end."""
    best: OptimalTrial | None = None
    for record in records:
        best = better(objective, best, record)
    return best
