"""Texts of the spec (decimals as strings) as the values that a trainable receives: int, float or str."""

import math
import re
from decimal import Decimal

from tuningsweep_api.quantities import DECIMAL_PATTERN
from tuningsweep_api.trials import ParameterValue


def plain_number(value: Decimal) -> int | float:
    """A whole number as int, any other as float."""
    return int(value) if value == value.to_integral_value() else float(value)


def number_or_text(text: str) -> ParameterValue:
    """The number that a text is where the spec takes such a number, or the text itself: Decimal takes 2024_06_01, too."""
    if re.fullmatch(DECIMAL_PATTERN, text) is None or not math.isfinite(float(text)):
        return text
    return plain_number(Decimal(text))
