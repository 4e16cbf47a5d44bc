"""`tuningsweep track`: sends MLflow what a sweep has kept for it."""

import logging
from collections.abc import Callable

from tuningsweep_cli.exits import CommandError, Exit
from tuningsweep_cli.workspace import held


def send_unsent(results: str, say: Callable[[str], None]) -> Exit:
    """Send, and say how it went; the exit code. CommandError where there is nothing to read."""
    from tuningsweep_trainer.tracking.resend import send_the_rest

    if held(results):
        raise CommandError(f"{results} is in use by a run, which sends by itself")
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        sent, left = send_the_rest(results)
    except LookupError as error:
        raise CommandError(str(error.args[0]), Exit.NOT_FOUND) from error
    except (OSError, ValueError) as error:
        raise CommandError(f"{results} can't be read: {error}", Exit.NOT_FOUND) from error
    if left:
        say(f"{left} files of events are still unsent and are kept; try again when the server answers")
        return Exit.FAILED
    say(f"sent {sent} files of events" if sent else "nothing was left to send")
    return Exit.COMPLETE
