"""Values as cells of tables: absent ones are empty, numbers are brief, units are those of tuningsweep_api.text."""

from collections.abc import Mapping

from tuningsweep_api import text
from tuningsweep_api.outcomes import Reason
from tuningsweep_api.trials import ParameterValue


def memory(value: float | None) -> str:
    """Bytes as MiB."""
    return "" if value is None else text.memory(value)


def seconds(value: float | None) -> str:
    """Seconds as ms or s."""
    return "" if value is None else text.seconds(value)


def in_unit_of(reason: Reason, value: float | None) -> str:
    """An observed value or limit in the unit that the reason implies."""
    return "" if value is None else text.in_unit_of(reason, value)


def parameters(values: dict[str, ParameterValue]) -> str:
    """Parameters in one cell."""
    return " ".join(f"{name}={number(value)}" for name, value in values.items())


def metric(name: str, value: float) -> str:
    """A metric in its unit, if the supervisor measures it, else as a number."""
    if name in text.MEMORY_METRICS:
        return memory(value)
    return seconds(value) if name in text.TIME_METRICS else number(value)


def metrics(values: Mapping[str, float]) -> str:
    """Metrics in one line."""
    return ", ".join(f"{name} {metric(name, value)}" for name, value in values.items())


def number(value: ParameterValue | None) -> str:
    """A parameter or metric: four significant digits of a fraction, other values as they are."""
    return "" if value is None else format(value, ".4g") if isinstance(value, float) else str(value)
