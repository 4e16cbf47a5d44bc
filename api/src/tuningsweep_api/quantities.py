"""Kubernetes quantities, GEP-2257 durations and decimal strings as pydantic types, with their conversions.

The resource keeps the text a user wrote (so that GitOps tools see no drift); code converts where it computes.
"""

import functools
import re
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, WithJsonSchema

QUANTITY_PATTERN: Final = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$"
DURATION_PATTERN: Final = r"^([0-9]{1,5}(h|m|s|ms)){1,4}$"
DECIMAL_PATTERN: Final = r"^[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,3})?$"

_SUFFIX: Final[dict[str, Decimal]] = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate(("k", "M", "G", "T", "P"), start=1)},
    **{suffix: Decimal(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi"), start=1)},
}
_ANY_SUFFIX: Final = {
    **_SUFFIX,
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "E": Decimal(1000) ** 6,
    "Ei": Decimal(1024) ** 6,
}
_UNIT_SECONDS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def quantity_value(text: str) -> Decimal:
    """Value of a Kubernetes quantity in its base unit (bytes, cores); ValueError says what to write instead."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([a-zA-Z]*)", text)
    if found is None or found[2] not in _SUFFIX:
        raise ValueError(f"{text!r} is not a quantity; write a number with Ki, Mi, Gi, k, M, G or m, such as 400Mi")
    return Decimal(found[1]) * _SUFFIX[found[2]]


@functools.lru_cache(maxsize=1024)
def any_quantity_value(text: str) -> Decimal:
    """Value of a quantity as nodes and other people's pods may have it, also with an exponent or n, u, E, Ei."""
    try:
        return Decimal(text)
    except InvalidOperation:
        found = re.fullmatch(r"([-+]?[0-9.]+)([a-zA-Z]+)", text)
    if found is None or found[2] not in _ANY_SUFFIX:
        raise ValueError(f"{text!r} is not a Kubernetes quantity")
    return Decimal(found[1]) * _ANY_SUFFIX[found[2]]


@functools.lru_cache(maxsize=1024)
def quantity_bytes(text: str) -> int:
    """Bytes of a memory quantity, rounded down."""
    return int(quantity_value(text))


@functools.lru_cache(maxsize=1024)
def duration_seconds(text: str) -> float:
    """Seconds of a GEP-2257 duration such as `1h30m`, `2s` or `50ms`; ValueError says what to write instead."""
    if re.fullmatch(DURATION_PATTERN, text) is None:
        raise ValueError(
            f"{text!r} is not a duration; write hours, minutes, seconds or milliseconds, such as 50ms or 1m30s"
        )
    return sum(int(count) * _UNIT_SECONDS[unit] for count, unit in re.findall(r"([0-9]+)(ms|h|m|s)", text))


def _as_text(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value


def _checked_quantity(value: Any) -> Any:
    text = _as_text(value)
    if isinstance(text, str):
        quantity_value(text)
    return text


def _checked_duration(value: Any) -> Any:
    if isinstance(value, str):
        duration_seconds(value)
    return value


Quantity = Annotated[
    str,
    BeforeValidator(_checked_quantity),
    Field(max_length=32),
    WithJsonSchema(
        {
            "x-kubernetes-int-or-string": True,
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "pattern": QUANTITY_PATTERN,
            "maxLength": 32,
            "minimum": 0,
        }
    ),
]
"""A Kubernetes quantity as written, e.g. `400Mi` or `2`."""

Duration = Annotated[str, Field(pattern=DURATION_PATTERN, max_length=32), BeforeValidator(_checked_duration)]
"""A GEP-2257 duration as written, e.g. `50ms`."""

DecimalText = Annotated[str, Field(pattern=DECIMAL_PATTERN, max_length=40)]
"""A decimal number as a string, because floats do not survive every JSON codec; e.g. `"0.001"` or `"1e-4"`."""
