"""Numbers as text for status and Events: no floats in the API, and units that people read."""

from tuningsweep_api.outcomes import Reason

MEMORY_REASONS = frozenset({Reason.MEMORY_LIMIT_EXCEEDED, Reason.OOM_KILLED})


def number(value: float | str) -> str:
    """A number in at most six significant digits; text stays text."""
    return value if isinstance(value, str) else f"{value:.6g}"


def quantity(reason: Reason, value: float | None) -> str | None:
    """A value over a limit, or the limit, in the unit that the reason implies: 412Mi, 61ms, 2.5s."""
    if value is None:
        return None
    if reason in MEMORY_REASONS:
        return f"{value / 2**20:.0f}Mi"
    return f"{value * 1000:.0f}ms" if value < 1 else f"{value:.1f}s"
