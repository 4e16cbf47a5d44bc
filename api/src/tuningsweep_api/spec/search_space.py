"""`spec.parameters`: the search space, in Katib's shape."""

import re
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from tuningsweep_api.model import Model
from tuningsweep_api.quantities import DECIMAL_PATTERN, DecimalText
from tuningsweep_api.spec.rules import Rule, RuledModel

WHOLE_PATTERN: Final = "^[-+]?[0-9]+$"
NUMBER_PATTERN: Final = DECIMAL_PATTERN.replace("\\.", "[.]")
"""As CEL has it in its texts; by both the API server and us, so that both take the same."""
WHOLE_LIMIT: Final = 2.0**63
"""Whole numbers have 64 bits. It is a double, for by doubles the API server compares."""
LIMIT: Final = 1e100
"""Of doubles, both ways: searchers subtract and square them, and infinity is no value."""
STEPS_LIMIT: Final = 2.0**64
"""Random draws are of 64 bits."""


class ParameterType(StrEnum):
    """Katib's parameter types."""

    INT = "int"
    DOUBLE = "double"
    DISCRETE = "discrete"
    CATEGORICAL = "categorical"


class Distribution(StrEnum):
    """How values of a range are drawn; Katib's names."""

    UNIFORM = "uniform"
    LOG_UNIFORM = "logUniform"


class FeasibleSpace(Model):
    """The values a parameter may take: min and max for int and double, list for discrete and categorical."""

    min: DecimalText | None = None
    """Smallest value of an int or double, as a string, e.g. "0.0001"."""
    max: DecimalText | None = None
    """Largest value of an int or double (included), as a string, e.g. "0.1"."""
    step: DecimalText | None = None
    """Distance between values of an int or double; a grid search over a range needs it."""
    distribution: Distribution = Distribution.UNIFORM
    """uniform, or logUniform for values that span magnitudes (min must be above zero)."""
    choices: Annotated[list[Annotated[str, Field(max_length=128)]], Field(min_length=1, max_length=256)] | None = Field(
        default=None, alias="list", json_schema_extra={"x-kubernetes-list-type": "set"}
    )
    """The values of a discrete (numbers) or categorical (any text) parameter, as strings."""


def _ranged(parameter: "Parameter") -> bool:
    return parameter.parameter_type in (ParameterType.INT, ParameterType.DOUBLE)


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _range_ordered(parameter: "Parameter") -> bool:
    low, high = _number(parameter.feasible_space.min), _number(parameter.feasible_space.max)
    return low is None or high is None or low <= high


def _log_positive(parameter: "Parameter") -> bool:
    space = parameter.feasible_space
    return space.distribution is Distribution.UNIFORM or space.min is None or float(space.min) > 0


def _list_numeric(parameter: "Parameter") -> bool:
    if parameter.parameter_type is not ParameterType.DISCRETE:
        return True
    listed = parameter.feasible_space.choices or []
    return all(re.fullmatch(NUMBER_PATTERN, value) and -LIMIT <= float(value) <= LIMIT for value in listed)


def _whole(parameter: "Parameter") -> bool:
    space = parameter.feasible_space
    if parameter.parameter_type is not ParameterType.INT:
        return True
    return all(value is None or re.fullmatch(WHOLE_PATTERN, value) for value in (space.min, space.max, space.step))


def _within(parameter: "Parameter") -> bool:
    space = parameter.feasible_space
    limit = WHOLE_LIMIT if parameter.parameter_type is ParameterType.INT else LIMIT
    return all(value is None or -limit <= float(value) <= limit for value in (space.min, space.max, space.step))


def _steps_countable(parameter: "Parameter") -> bool:
    space = parameter.feasible_space
    if space.min is None or space.max is None:
        return True
    step = space.step or ("1" if parameter.parameter_type is ParameterType.INT else None)
    return step is None or float(space.max) - float(space.min) < float(step) * STEPS_LIMIT


def contains(parameter: "Parameter", text: str) -> bool:
    """Whether a value as it is written is in the space: one of the list, or a number from min to max, steps left aside."""
    space = parameter.feasible_space
    if space.choices is not None:
        return text in space.choices
    if space.min is None or space.max is None:
        return False
    pattern = WHOLE_PATTERN if parameter.parameter_type is ParameterType.INT else NUMBER_PATTERN
    # By doubles, for so does the API server compare; decimals would refuse what it has accepted.
    return re.fullmatch(pattern, text) is not None and float(space.min) <= float(text) <= float(space.max)


def text_of(parameter: "Parameter", value: int | float | str) -> str:
    """A value of a trial as a manifest has it: as the list writes it, or the number."""
    for text in parameter.feasible_space.choices or []:
        if text == value or (not isinstance(value, str) and float(text) == value):
            return text
    return str(value)


def cel_contains(parameter: str, text: str) -> str:
    """`contains` in CEL, for expressions of the parameter and the text."""
    space = f"{parameter}.feasibleSpace"
    return (
        f"(has({space}.list) ? {text} in {space}.list : has({space}.min) && has({space}.max)"
        f" && {text}.matches({parameter}.parameterType == 'int' ? '{WHOLE_PATTERN}' : '{NUMBER_PATTERN}')"
        f" && double({space}.min) <= double({text}) && double({text}) <= double({space}.max))"
    )


_RANGED = "self.parameterType in ['int', 'double']"
_BOTH = "has(self.feasibleSpace.min) && has(self.feasibleSpace.max)"
_NUMBERS = (
    "[" + ", ".join(f"has(self.feasibleSpace.{f}) ? self.feasibleSpace.{f} : '0'" for f in ("min", "max", "step")) + "]"
)
_BOUNDS = "from -1e100 to 1e100"
_RULES = (
    Rule(
        f"!({_RANGED}) || ({_BOTH} && !has(self.feasibleSpace.list))",
        "feasibleSpace of an int or double parameter needs min and max, and no list",
        lambda p: (
            not _ranged(p)
            or (
                p.feasible_space.min is not None
                and p.feasible_space.max is not None
                and p.feasible_space.choices is None
            )
        ),
    ),
    Rule(
        f"({_RANGED}) || (has(self.feasibleSpace.list) && !has(self.feasibleSpace.min) && !has(self.feasibleSpace.max)"
        " && !has(self.feasibleSpace.step))",
        "feasibleSpace of a discrete or categorical parameter needs list, and no min, max or step",
        lambda p: (
            _ranged(p)
            or (
                p.feasible_space.choices is not None
                and p.feasible_space.min is None
                and p.feasible_space.max is None
                and p.feasible_space.step is None
            )
        ),
    ),
    Rule(
        f"!({_RANGED} && {_BOTH}) || double(self.feasibleSpace.min) <= double(self.feasibleSpace.max)",
        "feasibleSpace.min must not be above feasibleSpace.max",
        _range_ordered,
    ),
    Rule(
        "self.feasibleSpace.distribution != 'logUniform' || !has(self.feasibleSpace.min)"
        " || double(self.feasibleSpace.min) > 0.0",
        "feasibleSpace.min must be above zero with distribution logUniform; write for example 0.0001",
        _log_positive,
    ),
    Rule(
        "!has(self.feasibleSpace.step) || double(self.feasibleSpace.step) > 0.0",
        "feasibleSpace.step must be above zero",
        lambda p: p.feasible_space.step is None or float(p.feasible_space.step) > 0,
    ),
    Rule(
        f"self.parameterType != 'int' || {_NUMBERS}.all(v, v.matches('{WHOLE_PATTERN}'))",
        "feasibleSpace of an int parameter takes whole numbers, as 1000 and not 1e3; use parameterType double for others",
        _whole,
    ),
    Rule(
        f"{_NUMBERS}.all(v, self.parameterType == 'int' ? -{WHOLE_LIMIT:.1f} <= double(v) && double(v) <= {WHOLE_LIMIT:.1f}"
        f" : -{LIMIT} <= double(v) && double(v) <= {LIMIT})",
        "feasibleSpace.min, max and step must be numbers of 64 bits for an int, at most 9223372036854775807, and"
        f" {_BOUNDS} for a double",
        _within,
    ),
    Rule(
        f"!({_BOTH}) || !(has(self.feasibleSpace.step) || self.parameterType == 'int')"
        " || double(self.feasibleSpace.max) - double(self.feasibleSpace.min)"
        f" < double(has(self.feasibleSpace.step) ? self.feasibleSpace.step : '1') * {STEPS_LIMIT:.1f}",
        "feasibleSpace.step is too small for a range from min to max: they must be fewer than 2^64 steps apart",
        _steps_countable,
    ),
    Rule(
        "self.parameterType != 'discrete' || !has(self.feasibleSpace.list) || self.feasibleSpace.list.all(v,"
        f" v.matches('{NUMBER_PATTERN}') && -{LIMIT} <= double(v) && double(v) <= {LIMIT})",
        f"feasibleSpace.list of a discrete parameter takes numbers {_BOUNDS}; use parameterType categorical for text",
        _list_numeric,
    ),
    Rule(
        None,
        "feasibleSpace.list must not repeat a value",
        lambda p: (
            p.feasible_space.choices is None or len(set(p.feasible_space.choices)) == len(p.feasible_space.choices)
        ),
    ),
)


class Parameter(RuledModel):
    """One hyperparameter: its name as the trainable receives it, its type and its values."""

    RULES = _RULES

    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$", min_length=1, max_length=63)
    """Name under which the trainable receives the value, e.g. learning_rate."""
    parameter_type: ParameterType
    """int, double, discrete (numbers from a list) or categorical (text from a list)."""
    feasible_space: FeasibleSpace
    """The values it may take."""
