"""The console that tables go to."""

import os
import sys

from rich.console import Console

LOG_WIDTH = 180
"""Columns where there is no terminal."""


class _Lasting(Console):
    """Says no more, and goes on, once nobody reads it any more."""

    def on_broken_pipe(self) -> None:
        """Rich would end the program, which is right for a table but not for hours of trials."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def console(width: int = LOG_WIDTH, *, lasting: bool = False) -> Console:
    """Standard output; in logs and pipes `width` columns, so that no row of a table is folded into several.

    What it prints is text as it is: a value like `[relu]` or `:x:` is no markup. `lasting` is for commands that have more to
    do than to print.
    """
    kind = _Lasting if lasting else Console
    made = kind(markup=False, emoji=False)
    if made.is_terminal or "COLUMNS" in os.environ:
        return made
    return kind(markup=False, emoji=False, width=width)
