"""Numbers as text for status and Events: no floats in the API, and units that people read."""

from tuningsweep_api.outcomes import Reason
from tuningsweep_api.text import STATUS, in_unit_of


def number(value: float | str) -> str:
    """A number in at most six significant digits; text stays text."""
    return value if isinstance(value, str) else f"{value:.6g}"


def quantity(reason: Reason, value: float | None) -> str | None:
    """A value over a limit, or the limit, in the unit that the reason implies: 412Mi, 61ms, 2.5s."""
    return None if value is None else in_unit_of(reason, value, STATUS)
