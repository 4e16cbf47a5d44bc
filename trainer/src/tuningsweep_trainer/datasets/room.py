"""Whether rows fit into memory, asked before they are made: a machine that runs out of it kills somebody else's processes.

Called by `sources` for generated rows, whose size is known from the spec.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import psutil

from tuningsweep_trainer.datasets.frames import FIELD
from tuningsweep_trainer.errors import DatasetError

LIMIT_FILES: Final = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"), Path("/sys/fs/cgroup/memory/memory.usage_in_bytes")),
)
"""Limit and use of the container, cgroup v2 and v1."""
COPIES: Final = 2
"""scikit-learn's generators hold the features twice for a moment; later the prepared rows are the second copy."""


def check_memory(rows: int, columns: int, available: int | None = None) -> None:
    """DatasetError if float64 features of this shape do not fit into the `available` bytes (by default what is free)."""
    free = available_memory() if available is None else available
    needed = COPIES * 8 * rows * columns
    if needed > free:
        raise DatasetError(
            f"{FIELD}.generated: {rows} rows of {columns} features need {needed / 2**20:.0f} MiB of memory"
            f" to be made, where {free / 2**20:.0f} MiB are free;"
            " write fewer rows or features, or give the workers more memory"
        )


def available_memory(files: Iterable[tuple[Path, Path]] = LIMIT_FILES) -> int:
    """Bytes that can still be had: of the machine, or of the container where that is less."""
    free = int(psutil.virtual_memory().available)
    for limit_file, use_file in files:
        try:
            limit, used = limit_file.read_text().strip(), int(use_file.read_text())
        except OSError:
            continue
        if limit != "max":
            free = min(free, max(0, int(limit) - used))
    return free
