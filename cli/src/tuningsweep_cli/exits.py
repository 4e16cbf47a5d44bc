"""Exit codes of the command line, and the error that a command ends with: a sentence for people, a code for scripts."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import typer


class Exit(IntEnum):
    """What a script can rely on."""

    COMPLETE = 0
    FAILED = 1
    BAD_INPUT = 2
    CLUSTER = 3
    NOT_FOUND = 4
    INTERRUPTED = 130


MEANINGS = {
    Exit.COMPLETE: "done; of `run` and `watch`: the sweep is Complete",
    Exit.FAILED: (
        "the sweep has Failed; of `track`: something is still unsent;"
        " of `reproduce`: a data set is missing or a sweep failed"
    ),
    Exit.BAD_INPUT: "bad input: an option, a manifest, a limit",
    Exit.CLUSTER: "the cluster can't be reached, refuses, or lacks TuningSweep",
    Exit.NOT_FOUND: "there is no such sweep, trial or result",
    Exit.INTERRUPTED: "Ctrl-C; of `watch`: a local run that was interrupted",
}


class CommandError(Exception):
    """The command can't do what it was asked; the message says why and what to do."""

    def __init__(self, message: str, code: Exit = Exit.BAD_INPUT) -> None:
        super().__init__(message)
        self.code = code


@contextmanager
def errors_as_sentences() -> Iterator[None]:
    """A CommandError in the block becomes its sentence on standard error and its exit code; Ctrl-C becomes 130."""
    try:
        yield
    except CommandError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(error.code) from error
    except KeyboardInterrupt as error:
        raise typer.Exit(Exit.INTERRUPTED) from error
