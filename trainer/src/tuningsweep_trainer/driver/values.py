"""Texts of the spec (decimals as strings) as the values that a trainable receives: int, float or str."""

from decimal import Decimal, InvalidOperation

from tuningsweep_api.trials import ParameterValue


def plain_number(value: Decimal) -> int | float:
    """A whole number as int, any other as float."""
    return int(value) if value == value.to_integral_value() else float(value)


def number_or_text(text: str) -> ParameterValue:
    """The number that a text is, or the text itself."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return text
    return plain_number(value) if value.is_finite() else text
