"""`spec.objective`: what a sweep optimises, in Katib's shape."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from tuningsweep_api.model import Model
from tuningsweep_api.quantities import DecimalText

METRIC_PATTERN = r"^[A-Za-z_][A-Za-z0-9_./-]*$"
MetricName = Annotated[str, Field(pattern=METRIC_PATTERN, min_length=1, max_length=63)]


class ObjectiveType(StrEnum):
    """Which way is better."""

    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"


class Objective(Model):
    """The metric a sweep optimises."""

    type: ObjectiveType
    """minimize or maximize."""
    objective_metric_name: MetricName
    """Metric that decides, as the trainable reports it, e.g. validation_loss."""
    goal: DecimalText | None = None
    """Value at which the sweep is complete before all trials ran, as a string, e.g. "0.05"."""
    additional_metric_names: Annotated[list[MetricName], Field(max_length=16)] = []
    """Further metrics shown in status beside the objective, and kept with it over time in the traces of trials."""
