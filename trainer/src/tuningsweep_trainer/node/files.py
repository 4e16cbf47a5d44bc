"""Small files that the processes of a machine share: written whole, and found while others come and go."""

import glob
import os
import threading
from pathlib import Path


def replace_file(path: Path, content: str) -> None:
    """Write a file whole, so that readers see either what it was or what it is; OSError leaves it as it was."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        beside.write_text(content)
        beside.replace(path)
    except OSError:
        # Where there is no room, a part of it must not take what is left.
        beside.unlink(missing_ok=True)
        raise


def matching(folder: Path, pattern: str) -> list[Path]:
    """What is below a folder and matches a pattern, sorted.

    Folders that vanish meanwhile are passed over; `Path.glob` raises FileNotFoundError for one that it has just listed.
    """
    return sorted(map(Path, glob.iglob(f"{glob.escape(str(folder))}/{pattern}")))  # noqa: PTH207 - see above
