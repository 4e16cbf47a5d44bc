"""Which trials are the best: the driver's tally and the command line, which reads records without a driver, must agree.

With several objectives these are the trials of the Pareto front; with one it is the front's only trial.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from tuningsweep_api.outcomes import Outcome
from tuningsweep_api.pareto import beats
from tuningsweep_api.spec.objective import Objective, ObjectiveType
from tuningsweep_api.trials import OptimalTrial, TrialRecord

TRAINED: Final = (Outcome.SUCCEEDED, Outcome.PRUNED)
"""Outcomes of trials that kept the limits, so that their objective counts."""


def is_as_good(objective: Objective, value: float, other: float) -> bool:
    """Whether an objective's value is as good as another one."""
    return value <= other if objective.type is ObjectiveType.MINIMIZE else value >= other


def objective_values(objective: Objective, record: TrialRecord) -> list[float] | None:
    """A trial's last value of every objective, the first one first; None if it has not reported them all."""
    names = [each.objective_metric_name for each in objective.objectives]
    return [record.metrics[name] for name in names] if record.metrics.keys() >= set(names) else None


def joined(objective: Objective, front: Sequence[OptimalTrial], record: TrialRecord) -> list[OptimalTrial]:
    """The front once another trial has ended, best first objective first; the earlier one of equals."""
    values = objective_values(objective, record)
    if record.outcome not in TRAINED or values is None:
        return list(front)
    shown = {name: record.metrics[name] for name in objective.shown_metric_names if name in record.metrics}
    trial = OptimalTrial(trial=record.trial, parameters=record.parameters, objective=values[0], metrics=shown)
    costs = _costs(objective, trial)
    if any(beats(_costs(objective, other), costs) for other in front):
        return list(front)
    left = [other for other in front if not beats(costs, _costs(objective, other))]
    return sorted([*left, trial], key=lambda each: _costs(objective, each))


def pareto_front(objective: Objective, records: Iterable[TrialRecord]) -> list[OptimalTrial]:
    """The front of records in the order of their end, best first objective first."""
    front: list[OptimalTrial] = []
    for record in records:
        front = joined(objective, front, record)
    return front


def optimal_trial(objective: Objective, records: Iterable[TrialRecord]) -> OptimalTrial | None:
    """The best of records in the order of their end: of the trials with the best first objective one on the front."""
    return next(iter(pareto_front(objective, records)), None)


def objectives_of(objective: Objective, trial: OptimalTrial) -> dict[str, float]:
    """Value of every objective by its metric, the first one first."""
    others = [each.objective_metric_name for each in objective.additional_objectives]
    return {objective.objective_metric_name: trial.objective, **{name: trial.metrics[name] for name in others}}


def _costs(objective: Objective, trial: OptimalTrial) -> list[float]:
    values = objectives_of(objective, trial).values()
    return [each.sign * value for each, value in zip(objective.objectives, values, strict=True)]
