"""Parameters out of a search space: by position in a grid, drawn for a position, or put back into the space.

Used by proposals.py and schedulers.py. All pure: a spec and a position always give the same parameters.
"""

import math
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np

from tuningsweep_api.spec.search_space import Distribution, Parameter, ParameterType
from tuningsweep_api.spec.sweep import TuningSweepSpec
from tuningsweep_api.trials import ParameterValue
from tuningsweep_trainer.driver.values import number_or_text, plain_number

Parameters = dict[str, ParameterValue]


def bounds(parameter: Parameter) -> tuple[Decimal, Decimal]:
    """Smallest and largest value of an int or double."""
    space = parameter.feasible_space
    assert space.min is not None
    assert space.max is not None
    return Decimal(space.min), Decimal(space.max)


def step_of(parameter: Parameter) -> Decimal | None:
    """Distance between values, None for a double that may take any."""
    step = parameter.feasible_space.step
    if step is not None:
        return Decimal(step)
    return Decimal(1) if parameter.parameter_type is ParameterType.INT else None


def choices(parameter: Parameter) -> list[ParameterValue] | None:
    """Values of a discrete or categorical parameter, None for a range."""
    listed = parameter.feasible_space.choices
    if listed is None:
        return None
    return (
        list(listed) if parameter.parameter_type is ParameterType.CATEGORICAL else [number_or_text(t) for t in listed]
    )


def _typed(parameter: Parameter, value: Decimal) -> int | float:
    return plain_number(value) if parameter.parameter_type is ParameterType.INT else float(value)


def _positions(parameter: Parameter) -> int:
    """Number of values of a parameter with a step or a list."""
    listed = choices(parameter)
    if listed is not None:
        return len(listed)
    low, high = bounds(parameter)
    step = step_of(parameter)
    assert step is not None
    return int((high - low) // step) + 1


def _at(parameter: Parameter, position: int) -> ParameterValue:
    listed = choices(parameter)
    if listed is not None:
        return listed[position]
    step = step_of(parameter)
    assert step is not None
    return _typed(parameter, bounds(parameter)[0] + step * position)


def grid_size(parameters: Sequence[Parameter]) -> int:
    """Number of combinations of a grid."""
    return math.prod(_positions(parameter) for parameter in parameters)


def grid_configuration(parameters: Sequence[Parameter], index: int) -> Parameters:
    """The combination at `index` of the full product; the first parameter changes slowest."""
    found: Parameters = {}
    for parameter in reversed(parameters):
        index, position = divmod(index, _positions(parameter))
        found[parameter.name] = _at(parameter, position)
    return {parameter.name: found[parameter.name] for parameter in parameters}


def grid_index(parameters: Sequence[Parameter], configuration: Parameters) -> int:
    """Where a combination stands in the grid."""
    index = 0
    for parameter in parameters:
        index = index * _positions(parameter) + _position_of(parameter, configuration[parameter.name])
    return index


def _position_of(parameter: Parameter, value: ParameterValue) -> int:
    listed = choices(parameter)
    if listed is not None:
        return listed.index(value)
    step = step_of(parameter)
    assert step is not None
    return int(((Decimal(repr(float(value))) - bounds(parameter)[0]) / step).to_integral_value(ROUND_HALF_EVEN))


def points_to_evaluate(spec: TuningSweepSpec) -> list[Parameters]:
    """The configurations that are tried first, each once, with every value on the steps of its parameter."""
    found: list[Parameters] = []
    for point in spec.search.points_to_evaluate:
        made = {parameter.name: _value_of(parameter, point[parameter.name]) for parameter in spec.parameters}
        if made not in found:
            found.append(made)
    return found


def _value_of(parameter: Parameter, text: str) -> ParameterValue:
    listed, space = choices(parameter), parameter.feasible_space
    if listed is not None and space.choices is not None:
        return listed[space.choices.index(text)]
    return nearest(parameter, float(text))


def random_configuration(parameters: Sequence[Parameter], seed: int, index: int) -> Parameters:
    """The configuration that `seed` gives to the trial at `index`, whatever was drawn before."""
    generator = np.random.default_rng([seed, index])
    return {parameter.name: _drawn(parameter, generator) for parameter in parameters}


def _drawn(parameter: Parameter, generator: np.random.Generator) -> ParameterValue:
    listed = choices(parameter)
    if listed is not None:
        return listed[int(generator.integers(len(listed)))]
    low, high = (float(bound) for bound in bounds(parameter))
    if parameter.feasible_space.distribution is Distribution.LOG_UNIFORM:
        drawn = math.exp(generator.uniform(math.log(low), math.log(high)))
    elif step_of(parameter) is not None:
        return _at(parameter, int(generator.integers(_positions(parameter), dtype=np.uint64)))
    else:
        drawn = generator.uniform(low, high)
    return nearest(parameter, drawn)


def nearest(parameter: Parameter, value: ParameterValue) -> ParameterValue:
    """The allowed value nearest to `value`: within the bounds and on the steps; lists keep a value that is in them."""
    listed = choices(parameter)
    if listed is not None:
        return value if value in listed else listed[0]
    low, high = bounds(parameter)
    wanted = min(max(Decimal(repr(float(value))), low), high)
    step = step_of(parameter)
    if step is not None:
        position = ((wanted - low) / step).to_integral_value(ROUND_HALF_EVEN)
        wanted = low + step * min(position, (high - low) // step)
    return _typed(parameter, wanted)
