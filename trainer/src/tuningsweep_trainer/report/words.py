"""Values as the report's headline and table of stops say them: a number and its unit."""

from tuningsweep_api.outcomes import Reason
from tuningsweep_api.text import MEMORY_METRICS, MEMORY_REASONS, TIME_METRICS
from tuningsweep_api.trials import ParameterValue


def memory(value: float) -> str:
    """Bytes."""
    return f"{value / 2**20:.1f} MiB" if value < 2**30 else f"{value / 2**30:.2f} GiB"


def seconds(value: float) -> str:
    """A step's time or a CPU time."""
    if value < 1:
        return f"{value * 1000:.3g} ms"
    return f"{value:.2f} s" if value < 10 else span(value)


def span(value: float) -> str:
    """A longer time in its two largest units."""
    if value < 100:
        return f"{value:.0f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def in_unit_of(reason: Reason, value: float) -> str:
    """An observed value or limit in the unit that the reason implies."""
    return memory(value) if reason in MEMORY_REASONS else seconds(value)


def number(value: float) -> str:
    """A metric."""
    return f"{value:.5g}"


def parameter(value: ParameterValue) -> str:
    """A hyperparameter."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def counted(count: int, noun: str) -> str:
    """A count with its noun."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def metric_value(name: str, value: float) -> str:
    """A metric in its unit, if the supervisor measures it, else as a number."""
    if name in MEMORY_METRICS:
        return memory(value)
    return seconds(value) if name in TIME_METRICS else number(value)


def metric(name: str, value: float) -> str:
    """A metric's name and value."""
    return f"{name} {metric_value(name, value)}"
