"""How large a run is: the full benchmark, or a smoke test that only shows that every figure can be measured."""

from dataclasses import dataclass
from pathlib import Path

PARALLEL = 2
"""Trials side by side, wherever a figure does not vary it."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Given to every figure."""

    quick: bool
    seed: int
    scratch: Path
    """A folder of this figure's own, removed after it."""

    def pick(self, full: int, quick: int) -> int:
        """A size for this run."""
        return quick if self.quick else full
