"""Which trial is the best: the driver's state and the command line, which reads records without a driver, must agree."""

from collections.abc import Iterable
from typing import Final

from tuningsweep_api.outcomes import Outcome
from tuningsweep_api.spec.objective import Objective, ObjectiveType
from tuningsweep_api.trials import OptimalTrial, TrialRecord

TRAINED: Final = (Outcome.SUCCEEDED, Outcome.PRUNED)
"""Outcomes of trials that kept the limits, so that their objective counts."""


def optimal_trial(objective: Objective, records: Iterable[TrialRecord]) -> OptimalTrial | None:
    """The trial with the best objective among those that kept the limits; the earlier one of equals."""
    name = objective.objective_metric_name
    candidates = [record for record in records if record.outcome in TRAINED and name in record.metrics]
    if not candidates:
        return None
    sign = 1.0 if objective.type is ObjectiveType.MINIMIZE else -1.0
    best = min(candidates, key=lambda record: sign * record.metrics[name])
    shown = {metric: best.metrics[metric] for metric in objective.additional_metric_names if metric in best.metrics}
    return OptimalTrial(trial=best.trial, parameters=best.parameters, objective=best.metrics[name], metrics=shown)
