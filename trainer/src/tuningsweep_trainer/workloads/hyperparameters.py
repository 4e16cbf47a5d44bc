"""Hyperparameters of a built-in workload: from a trial's parameters (numbers or strings) to checked values.

Called at the start of `train`; a value that makes no sense is a ValueError that names the parameter.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from tuningsweep_api.spec.trainable import BUILTIN_PARAMETERS

Penalty = Literal["l1", "l2", "elasticnet"]
PENALTIES: Final = ("l1", "l2", "elasticnet", "none")


@dataclass(frozen=True)
class Hyperparameters:
    """Checked values; the defaults are scikit-learn's where it has them."""

    batch_size: int = 32
    learning_rate: float = 0.01
    alpha: float = 0.0001
    penalty: Penalty | None = "l2"
    l1_ratio: float = 0.15
    epsilon: float = 0.1


def hyperparameters(parameters: Mapping[str, Any]) -> Hyperparameters:
    """Checked hyperparameters; ValueError names the one that is unknown or out of range."""
    for name in parameters:
        if name not in BUILTIN_PARAMETERS:
            raise ValueError(
                f"parameter {name!r} is unknown to built-in workloads; use {', '.join(BUILTIN_PARAMETERS)}"
            )
    default = Hyperparameters()
    return Hyperparameters(
        batch_size=_whole(parameters, "batch_size", default.batch_size),
        learning_rate=_number(parameters, "learning_rate", default.learning_rate, above=True),
        alpha=_number(parameters, "alpha", default.alpha),
        penalty=_penalty(parameters.get("penalty", default.penalty)),
        l1_ratio=_number(parameters, "l1_ratio", default.l1_ratio, highest=1.0),
        epsilon=_number(parameters, "epsilon", default.epsilon),
    )


def _number(
    parameters: Mapping[str, Any], name: str, default: float, *, above: bool = False, highest: float = math.inf
) -> float:
    value = parameters.get(name, default)
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"parameter {name!r} is {value!r}; write a number") from error
    if not math.isfinite(number) or number < 0 or (above and number == 0) or number > highest:
        lowest = "above 0" if above else "0 or more"
        bound = "" if highest == math.inf else f", at most {highest:g}"
        raise ValueError(f"parameter {name!r} is {value!r}; write a number {lowest}{bound}")
    return number


def _whole(parameters: Mapping[str, Any], name: str, default: int) -> int:
    number = _number(parameters, name, default, above=True)
    if number != int(number):
        raise ValueError(f"parameter {name!r} is {parameters[name]!r}; write a whole number of rows")
    return int(number)


def _penalty(value: object) -> Penalty | None:
    if value is None or value == "none":
        return None
    if value not in PENALTIES:
        raise ValueError(f"parameter 'penalty' is {value!r}; write one of {', '.join(PENALTIES)}")
    return cast("Penalty", value)
