"""Exit codes of the command line."""

from enum import IntEnum


class Exit(IntEnum):
    """What a script can rely on."""

    COMPLETE = 0
    FAILED = 1
    BAD_INPUT = 2
    INTERRUPTED = 130
