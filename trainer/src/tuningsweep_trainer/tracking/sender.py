"""The sender: a thread that sends the spool's files to MLflow, oldest first, and waits ever longer while that fails.

The log has one line when it starts to fail and one when it works again, whatever happens in between.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from tuningsweep_trainer.tracking.events import TrackingEvent
from tuningsweep_trainer.tracking.secrets import without_secrets
from tuningsweep_trainer.tracking.spool import FOLDER, Spool

FIRST_WAIT: Final = 1.0
"""Seconds after a failure; twice as long after each further one."""
LONGEST_WAIT: Final = 60.0
LAST_ATTEMPTS: Final = 3
"""Attempts in a row that may fail once the sweep has ended."""
END_SECONDS: Final = 20.0
"""How long the end of a sweep waits for the server without a sign of progress."""
LONGEST_END_SECONDS: Final = 300.0
"""How long it waits at most: a large model takes its time."""

log = logging.getLogger(__name__)


class Sink(Protocol):
    """Where events go; raises whatever its server's client raises."""

    def send(self, events: Sequence[TrackingEvent]) -> None:
        """Send events, in order; sending one twice does no harm."""


class Sender(threading.Thread):
    """Makes its sink and uses it in its own thread alone."""

    def __init__(self, connect: Callable[[], Sink], spool: Spool) -> None:
        super().__init__(name="mlflow-sender", daemon=True)
        self._connect, self._spool = connect, spool
        self._sink: Sink | None = None
        self._something = threading.Event()
        self._closing = threading.Event()
        self._given_up = threading.Event()
        self._failures = 0
        self._away = False
        self._progress = time.monotonic()

    def wake(self) -> None:
        """The spool has something new."""
        self._something.set()

    def finish(self) -> None:
        """Send the rest and return, after a bounded time whatever the server does; what is left stays in the spool."""
        self._progress = started = time.monotonic()
        self._closing.set()
        self._something.set()
        while self.is_alive():
            self.join(0.1)
            now = time.monotonic()
            if now - self._progress > END_SECONDS or now - started > LONGEST_END_SECONDS:
                break
        self._given_up.set()  # a request that hangs may return after the next driver has started
        if self._spool.files:
            log.warning(
                "not everything could be sent to MLflow; %d files are kept in %s of the results, and are sent by"
                " `python -m tuningsweep_trainer.tracking RESULTS` or when the sweep goes on",
                self._spool.files,
                FOLDER,
            )

    def run(self) -> None:
        """Send until the sweep has ended and nothing is left, or it failed too often after the end."""
        while not self._given_up.is_set():
            self._something.clear()
            name = self._spool.oldest()
            if name is None:
                if self._closing.is_set():
                    return
                self._something.wait(1.0)
            elif self._sent(name):
                self._progress = time.monotonic()
            elif self._closing.is_set():
                if self._failures >= LAST_ATTEMPTS:
                    return
                time.sleep(FIRST_WAIT)
            elif self._closing.wait(waiting_time(self._failures)):
                self._failures = 0  # a last chance, however long it has been away

    def _sent(self, name: str) -> bool:
        """Send a file of the spool; False if it must be tried again."""
        try:
            self._sink = self._sink or self._connect()
            self._sink.send(self._spool.read(name))
            self._spool.done(name)
        except Exception as error:  # noqa: BLE001 - backends raise anything; it is logged, the events are kept
            self._failures += 1
            if not self._away:
                message = without_secrets(f"{type(error).__name__}: {error}")[:500]
                log.warning(
                    "MLflow can't be told; events are kept and it is tried again, ever more rarely: %s", message
                )
            self._away = True
            return False
        if self._away:
            log.info("MLflow can be told again")
        self._failures, self._away = 0, False
        return True


def waiting_time(failures: int) -> float:
    """Seconds to leave the server alone after so many failures in a row."""
    return float(min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(failures - 1, 10)))
