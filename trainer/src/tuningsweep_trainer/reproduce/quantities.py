"""What the thesis measured of a run: the column of the tidy data, its unit and axis. Used by figures and claims."""

from dataclasses import dataclass
from typing import Final

MIB: Final = float(1 << 20)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A column of the tidy data as figures and tables show it."""

    column: str
    title: str
    unit: str = ""
    """Empty for losses and RMSE, which are in the unit of their target."""
    factor: float = 1.0
    """From the column's unit (seconds, bytes) to `unit`."""
    log: bool = False
    """Whether values differ by orders of magnitude, so that an axis is logarithmic."""

    zero: bool = False
    """Whether an axis begins at 0, so that a level quantity looks level."""

    @property
    def axis(self) -> str:
        """The title of an axis."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


TRAINING_LOSS: Final = Quantity("train_loss", "training loss")
VALIDATION_LOSS: Final = Quantity("validation_loss", "validation loss")
ACCURACY: Final = Quantity("accuracy", "accuracy", "%", 100.0)
RMSE: Final = Quantity("rmse", "RMSE")
MEAN_STEP_TIME: Final = Quantity("mean_step_seconds", "mean step time", "ms", 1000.0, log=True)
TRAINING_TIME: Final = Quantity("duration_seconds", "training time", "s", log=True)
CPU: Final = Quantity("cpu_percent", "CPU", "% of a core", zero=True)
MEMORY: Final = Quantity("memory_bytes", "memory", "MiB", 1 / MIB, zero=True)

SYSTEM_METRICS: Final = (MEAN_STEP_TIME, MEMORY, CPU)
