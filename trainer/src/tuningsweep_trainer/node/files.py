"""Small files that the processes of a machine share: written whole, and found while others come and go."""

import glob
import os
import threading
from pathlib import Path


def replace_file(path: Path, content: str) -> None:
    """Write a file whole, so that readers see either what it was or what it is."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    beside.write_text(content)
    beside.replace(path)


def matching(folder: Path, pattern: str) -> list[Path]:
    """What is below a folder and matches a pattern, sorted.

    Folders that vanish meanwhile are passed over; `Path.glob` raises FileNotFoundError for one that it has just listed.
    """
    return sorted(map(Path, glob.iglob(f"{glob.escape(str(folder))}/{pattern}")))  # noqa: PTH207 - see above
