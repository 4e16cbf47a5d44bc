"""Whether rows fit into memory, asked before they are made: a machine that runs out of it kills somebody else's processes.

Called by `sources` for generated rows, whose size is known from the spec.
"""

from typing import Final

from tuningsweep_trainer.container import memory_room
from tuningsweep_trainer.datasets.frames import FIELD
from tuningsweep_trainer.errors import DatasetError

COPIES: Final = 2
"""scikit-learn's generators hold the features twice for a moment; later the prepared rows are the second copy."""


def check_memory(rows: int, columns: int, available: int | None = None) -> None:
    """DatasetError if float64 features of this shape do not fit into the `available` bytes (by default what is free)."""
    free = memory_room().free if available is None else available
    needed = COPIES * 8 * rows * columns
    if needed > free:
        raise DatasetError(
            f"{FIELD}.generated: {rows} rows of {columns} features need {needed / 2**20:.0f} MiB of memory"
            f" to be made, where {free / 2**20:.0f} MiB are free;"
            " write fewer rows or features, or give the workers more memory"
        )
