"""What a person asked of the reproduction; made by the command line, without importing Ray."""

from dataclasses import dataclass
from pathlib import Path

from tuningsweep_trainer.reproduce.arms import Arm
from tuningsweep_trainer.reproduce.workloads import SEEDS


@dataclass(frozen=True, slots=True)
class Settings:
    """Options of `reproduce`."""

    results: Path
    steps: int | None = None
    """Of every trial; the manifests' if None."""
    quick: bool = False
    """A smoke test: few steps of one run on generated rows."""
    openml_server: str | None = None
    """Address of another OpenML API."""
    wave_energy_stand_in: bool = False
    """Use generated rows where the real ones of wave energy can't be had."""
    runs: int = len(SEEDS)
    """Of each configuration without limits, each with a seed of its own."""
    savings_runs: int = 1
    """Runs, of those, whose seeds the arms of the open question are measured with."""
    chosen_arms: tuple[Arm, ...] = ()
    """Arms that are run, besides `none`; if empty all, or one in a smoke test."""

    @property
    def arms(self) -> tuple[Arm, ...]:
        """Arms that are run, besides `none`."""
        return self.chosen_arms or ((Arm.BOTH,) if self.quick else tuple(Arm))

    @property
    def seeds(self) -> tuple[int, ...]:
        """One for each run without limits."""
        return SEEDS[:1] if self.quick else SEEDS[: self.runs]
