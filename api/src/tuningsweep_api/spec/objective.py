"""`spec.objective`: what a sweep optimises, in Katib's shape, with further objectives beside the first."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from tuningsweep_api.model import Model
from tuningsweep_api.quantities import DecimalText
from tuningsweep_api.spec.rules import Rule, RuledModel

METRIC_PATTERN = r"^[A-Za-z_][A-Za-z0-9_./-]*$"
MetricName = Annotated[str, Field(pattern=METRIC_PATTERN, min_length=1, max_length=63)]


class ObjectiveType(StrEnum):
    """Which way is better."""

    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"


class SingleObjective(Model):
    """A metric and which way it is better."""

    type: ObjectiveType
    """minimize or maximize."""
    objective_metric_name: MetricName
    """Metric that decides, as the trainable reports it, e.g. validation_loss."""

    @property
    def sign(self) -> float:
        """Factor that makes a lower value the better one."""
        return 1.0 if self.type is ObjectiveType.MINIMIZE else -1.0


MOST_ADDITIONAL_OBJECTIVES: Final = 3
"""More than four objectives, and nearly every trial is on the front."""


def _metrics_differ(objective: "Objective") -> bool:
    names = [each.objective_metric_name for each in objective.objectives]
    return len(set(names)) == len(names)


_RULES = (
    Rule(
        "self.additionalObjectives.all(o, o.objectiveMetricName != self.objectiveMetricName"
        " && self.additionalObjectives.exists_one(p, p.objectiveMetricName == o.objectiveMetricName))",
        "objective.additionalObjectives must name metrics that differ from each other and from"
        " objective.objectiveMetricName",
        _metrics_differ,
    ),
)


class Objective(SingleObjective, RuledModel):
    """The metric a sweep optimises, and others it optimises together with it."""

    RULES = _RULES

    goal: DecimalText | None = None
    """Value of the objective at which the sweep is complete before all trials ran, as a string, e.g. "0.05"."""
    additional_metric_names: Annotated[list[MetricName], Field(max_length=16)] = []
    """Further metrics shown in status beside the objective, and kept with it over time in the traces of trials."""
    additional_objectives: Annotated[list[SingleObjective], Field(max_length=MOST_ADDITIONAL_OBJECTIVES)] = []
    """Further metrics to optimise, e.g. peak_memory_bytes to minimize: the search looks for the Pareto front, the trials
    that no other beats in every objective. The best trial is still the one with the best first objective, which alone has a
    goal."""

    @property
    def objectives(self) -> list[SingleObjective]:
        """The first objective and those beside it."""
        return [self, *self.additional_objectives]

    @property
    def shown_metric_names(self) -> list[str]:
        """Metrics shown beside the first objective: the other objectives, then further ones."""
        names = [each.objective_metric_name for each in self.additional_objectives]
        return list(dict.fromkeys([*names, *self.additional_metric_names]))
