"""A file system with so little room that one can fill it, as another trial fills the shared memory of its pod."""

import errno
import os
from pathlib import Path

import pytest


class FullDisk:
    """Files below a folder may hold `room` bytes together, as long as they are written as whole texts."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self.room: float = float("inf")
        self.refused = 0
        """Writes for which there was no room."""
        write = Path.write_text

        def within_the_room(path: Path, content: str, *rest: object, **more: object) -> int:
            written = write(path, content, *rest, **more)  # type: ignore[arg-type]
            if path.is_relative_to(folder) and self.used > self.room:
                self.refused += 1
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            return written

        monkeypatch.setattr(Path, "write_text", within_the_room)

    @property
    def used(self) -> int:
        """Bytes that the files hold now."""
        return sum(file.stat().st_size for file in self._folder.rglob("*") if file.is_file())

    def fill(self) -> None:
        """Leave no room for anything more."""
        self.room = self.used
