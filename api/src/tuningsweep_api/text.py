"""Memory, times and numbers as people read them: in status and Events, in the messages of stops, on the command line.

Where one value stands for itself it is written exactly; where many stand in a table, briefly.
"""

from typing import Final, NamedTuple

from tuningsweep_api.outcomes import Reason
from tuningsweep_api.spec.trainable import SYSTEM_METRICS

MEMORY_REASONS: Final = frozenset({Reason.MEMORY_LIMIT_EXCEEDED, Reason.GPU_MEMORY_LIMIT_EXCEEDED, Reason.OOM_KILLED})
MEMORY_METRICS: Final = frozenset(name for name in SYSTEM_METRICS if name.endswith("_bytes"))
TIME_METRICS: Final = frozenset(name for name in SYSTEM_METRICS if name.endswith("_seconds"))


class Precision(NamedTuple):
    """Format specifications of the numbers before a unit."""

    mebibytes: str
    milliseconds: str
    seconds: str


STATUS: Final = Precision(".0f", ".0f", ".1f")
"""Status and Events: 412Mi, 61ms, 2.5s."""
TABLE: Final = Precision(".0f", ".3g", ".1f")
"""Cells: 412Mi, 61.2ms, 2.5s."""
SENTENCE: Final = Precision(".1f", ".1f", ".2f")
"""Messages of stops, where observed and limit may be close: 412.3Mi, 61.2ms, 2.51s."""


def memory(value: float, precision: Precision = TABLE) -> str:
    """Bytes as MiB."""
    return f"{value / 2**20:{precision.mebibytes}}Mi"


def seconds(value: float, precision: Precision = TABLE) -> str:
    """Seconds; below one, milliseconds."""
    return f"{value * 1000:{precision.milliseconds}}ms" if value < 1 else f"{value:{precision.seconds}}s"


def in_unit_of(reason: Reason, value: float, precision: Precision = TABLE) -> str:
    """An observed value or a limit in the unit that the reason implies."""
    return memory(value, precision) if reason in MEMORY_REASONS else seconds(value, precision)
