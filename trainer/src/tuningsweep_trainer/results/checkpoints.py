"""Checkpoints of one trial in the results folder: numbered folders, each valid once its description is there.

The training process saves them inside `report`, the supervisor picks the newest to go on from. The last few are kept, and
of a trial that has ended the newest (`driver/tidying.py`).
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tuningsweep_trainer.results.store import open_store

KEPT: Final = 4
"""More than a training process can be ahead of what Tune has seen, so that the one Tune knows is always among them."""
FOLDER: Final = "checkpoints"
_DESCRIPTION: Final = re.compile(r"^(\d{6})\.json$")
_PART: Final = re.compile(r"^(\d{6})(?:\.json)?$")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A complete checkpoint of a trial."""

    number: int
    step: int
    """Steps of the trial it holds."""
    metrics: dict[str, float]
    """Metrics reported with it."""
    empty: bool = False
    """It holds nothing: the trial was told to start again from here."""


class CheckpointStore:
    """The checkpoints of one trial, in `checkpoints/TRIAL/` of the sweep's results."""

    def __init__(self, location: str, trial: str) -> None:
        self._store = open_store(location)
        self._folder = f"{FOLDER}/{trial}"

    def save(self, number: int, folder: Path | None, *, step: int, metrics: dict[str, float], keep: int = KEPT) -> None:
        """Copy a folder's content as checkpoint `number`, then describe it, then drop what is older than `keep`.

        No folder makes an empty checkpoint.
        """
        if folder is not None:
            self._store.upload(folder, self._data(number))
        description = {"step": step, "metrics": metrics, "empty": folder is None}
        self._store.write(self._description(number), json.dumps(description).encode())
        for old in self._numbers()[:-keep]:
            self.drop(old)

    def latest(self) -> Checkpoint | None:
        """The newest complete checkpoint."""
        described = (self.describe(number) for number in reversed(self._numbers()))
        return next((checkpoint for checkpoint in described if checkpoint is not None), None)

    def describe(self, number: int) -> Checkpoint | None:
        """A checkpoint by its number; None if it is not there or not complete."""
        content = self._store.read(self._description(number))
        if content is None:
            return None
        said = json.loads(content)  # a later release may say more
        return Checkpoint(number, step=said["step"], metrics=said["metrics"], empty=said.get("empty", False))

    def next_number(self) -> int:
        """Number of the next checkpoint."""
        numbers = self._numbers()
        return numbers[-1] + 1 if numbers else 0

    def fetch(self, number: int, folder: Path) -> None:
        """Copy a checkpoint's content to a local folder; FileNotFoundError if it is not there, or dropped meanwhile."""
        self._store.download(self._data(number), folder)
        # The description is dropped first. Without it, what object storage had may be a part.
        if self._store.read(self._description(number)) is None:
            raise FileNotFoundError(f"{self._data(number)} was dropped while it was read")

    def drop_incomplete(self) -> None:
        """Drop what a process that was killed while it saved has left of the next checkpoint."""
        self.drop(self.next_number())

    def drop_older(self, number: int) -> None:
        """Drop every checkpoint before this one, and what is left of those that were not dropped whole."""
        for older in (found for found in self._numbers(_PART) if found < number):
            self.drop(older)

    def drop(self, number: int) -> None:
        """Drop a checkpoint, if it is there."""
        self._store.delete(self._description(number))
        self._store.delete(self._data(number))

    def _numbers(self, named: re.Pattern[str] = _DESCRIPTION) -> list[int]:
        found = (named.match(name) for name in self._store.names(self._folder))
        return sorted({int(match[1]) for match in found if match})

    def _data(self, number: int) -> str:
        return f"{self._folder}/{number:06d}"

    def _description(self, number: int) -> str:
        return f"{self._folder}/{number:06d}.json"
