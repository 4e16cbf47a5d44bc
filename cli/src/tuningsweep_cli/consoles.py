"""The console that tables go to."""

import os

from rich.console import Console

LOG_WIDTH = 180
"""Columns where there is no terminal."""


def console(width: int = LOG_WIDTH) -> Console:
    """Standard output; in logs and pipes `width` columns, so that no row of a table is folded into several."""
    made = Console()
    return made if made.is_terminal or "COLUMNS" in os.environ else Console(width=width)
