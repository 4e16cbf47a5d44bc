"""Numbers as text for status and Events: no floats in the API, and units that people read."""

from typing import Final

from tuningsweep_api.outcomes import Reason
from tuningsweep_api.text import STATUS, in_unit_of

EXACT: Final = 2.0**53
"""Up to here floats hold every whole number."""


def number(value: float | str) -> str:
    """A number in at most six significant digits, a whole one (bytes, say) exactly; text stays text."""
    if isinstance(value, str):
        return value
    return f"{value:.0f}" if value == round(value) and abs(value) < EXACT else f"{value:.6g}"


def quantity(reason: Reason, value: float | None) -> str | None:
    """A value over a limit, or the limit, in the unit that the reason implies: 412Mi, 61ms, 2.5s."""
    return None if value is None else in_unit_of(reason, value, STATUS)
