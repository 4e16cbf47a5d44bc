"""Hyperparameters as numbers between 0 and 1, for the models that forecast what a trial needs. Pure."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from tuningsweep_api.spec.search_space import Parameter
from tuningsweep_api.trials import ParameterValue
from tuningsweep_trainer.driver.search_space import Parameters, bounds, choices

Vector = npt.NDArray[np.float64]

WIDE: Final = 10.0
"""A range whose ends differ by this factor is taken in logarithms."""


class Features:
    """Hyperparameters as a vector in the unit cube: ranges by position, categories one-hot."""

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self._parameters = list(parameters)

    def of(self, values: Parameters) -> Vector:
        """The vector of a configuration."""
        parts: list[float] = []
        for parameter in self._parameters:
            parts += _encoded(parameter, values[parameter.name])
        return np.array(parts, dtype=np.float64)

    def numeric_below(self, lengths: Vector, bound: float) -> list[str]:
        """Names of the parameters with a single feature, a number, whose length is below the bound."""
        found, position = [], 0
        for parameter in self._parameters:
            listed = choices(parameter)
            categories = listed is not None and not _numeric(listed)
            if not categories and lengths[position] < bound:
                found.append(parameter.name)
            position += len(listed) if categories and listed is not None else 1
        return found


def _numeric(listed: Sequence[ParameterValue]) -> bool:
    return all(isinstance(choice, int | float) for choice in listed)


def _encoded(parameter: Parameter, value: ParameterValue) -> list[float]:
    listed = choices(parameter)
    if listed is not None and not _numeric(listed):
        return [float(choice == value) for choice in listed]
    low, high = (min(map(float, listed)), max(map(float, listed))) if listed else map(float, bounds(parameter))
    if high == low:
        return [0.0]
    if low > 0.0 and high / low >= WIDE:
        return [math.log(float(value) / low) / math.log(high / low)]
    return [(float(value) - low) / (high - low)]
