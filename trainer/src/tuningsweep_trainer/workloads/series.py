"""The training loss of every step, as JSON lines in the trial's log: {"first_step": 101, "training_loss": [0.5, ...]}.

Called by the training loop between steps, so its cost is on no step's clock; memory is bounded by LONGEST.
"""

import json
import sys
from array import array
from typing import Final

FIRST_STEP: Final = "first_step"
TRAINING_LOSS: Final = "training_loss"
LONGEST: Final = 1000
"""Steps of one line at most."""
DIGITS: Final = 6
"""Significant digits of a loss."""


class LossSeries:
    """Losses of consecutive steps that have not been written yet."""

    def __init__(self) -> None:
        self._losses = array("d")
        self._first = 0

    def add(self, step: int, loss: float) -> None:
        """The loss at a step, counted from 1; it must be finite."""
        if not self._losses:
            self._first = step
        self._losses.append(loss)
        if len(self._losses) >= LONGEST:
            self.flush()

    def flush(self) -> None:
        """Write what is held, if anything."""
        if self._losses:
            rounded = [float(f"{loss:.{DIGITS}g}") for loss in self._losses]
            sys.stdout.write(json.dumps({FIRST_STEP: self._first, TRAINING_LOSS: rounded}) + "\n")
            sys.stdout.flush()
            del self._losses[:]
