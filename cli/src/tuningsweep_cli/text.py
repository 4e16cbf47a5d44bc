"""Values as people read them in tables and summaries."""

from tuningsweep_api.outcomes import Reason
from tuningsweep_api.trials import ParameterValue


def memory(value: float | None) -> str:
    """Bytes as MiB."""
    return "" if value is None else f"{value / 2**20:.0f}Mi"


def seconds(value: float | None) -> str:
    """Seconds as ms or s."""
    if value is None:
        return ""
    return f"{value * 1000:.3g}ms" if value < 1 else f"{value:.1f}s"


def in_unit_of(reason: Reason, value: float | None) -> str:
    """An observed value or limit in the unit that the reason implies."""
    return memory(value) if reason is Reason.MEMORY_LIMIT_EXCEEDED else seconds(value)


def parameters(values: dict[str, ParameterValue]) -> str:
    """Parameters in one cell."""
    return " ".join(
        f"{name}={format(value, '.4g') if isinstance(value, float) else value}" for name, value in values.items()
    )


def number(value: float | None) -> str:
    """A metric."""
    return "" if value is None else f"{value:.4g}"
