"""The sender: sends the spool's files to MLflow, oldest first, and waits ever longer while that fails.

The log has one line when it starts to fail and one when it works again, whatever happens in between. A driver has it in a
process of its own (process.py); `tuningsweep track` and tests in a thread.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Protocol

from tuningsweep_api import names
from tuningsweep_trainer.secrets import without_secrets
from tuningsweep_trainer.tracking.events import TrackingEvent
from tuningsweep_trainer.tracking.spool import Spool

GATHER_SECONDS: Final = 5.0
"""Between two batches. A batch costs the same half-dozen transactions for each run in it, however many points it has, so
that fewer batches are what makes tracking cheap; MLflow's page is that much behind."""
BATCH_BYTES: Final = 64 << 10
"""Of the spool's files that go out together: a dozen or two trials, so that each batch shows progress within END_SECONDS.
With more than that left there is no wait."""
FIRST_WAIT: Final = 1.0
"""Seconds after a failure; twice as long after each further one."""
LONGEST_WAIT: Final = 60.0
LAST_ATTEMPTS: Final = 3
"""Attempts in a row that may fail once the sweep has ended."""
END_SECONDS: Final = 20.0
"""How long the end of a sweep waits for the server without a sign of progress."""
LONGEST_END_SECONDS: Final = float(names.LONGEST_LEAVE_SECONDS)
"""How long it waits at most: a large model takes its time."""

log = logging.getLogger(__name__)


Progress = Callable[[bool], None]
"""Called at every sign of progress; True says that what comes next takes its time without a further one."""


class Sink(Protocol):
    """Where events go; raises whatever its server's client raises."""

    def send(self, events: Sequence[TrackingEvent]) -> None:
        """Send events, in order; sending one twice does no harm."""


Connect = Callable[[int, Progress], Sink]
"""Makes the sink; told the Unix time of the first thing it will be told, milliseconds."""
Load = Callable[[], None]
"""What takes its time before that and asks no server; called before every try to connect."""


class Delivery(Protocol):
    """Gets what is in the spool to MLflow, beside the driver's own work."""

    def start(self) -> None:
        """Begin."""

    def wake(self) -> None:
        """The spool has something new."""

    def finish(self) -> None:
        """Send the rest and return, after a bounded time whatever the server does; what is left stays in the spool."""


class Sender:
    """Makes its sink and uses it; run by one thread at a time."""

    def __init__(
        self,
        connect: Connect,
        spool: Spool,
        *,
        load: Load,
        progress: Progress,
        sent: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._connect, self._spool, self._load, self._progress, self._tell_sent = connect, spool, load, progress, sent
        self._sink: Sink | None = None
        self._something = threading.Event()
        self._closing = threading.Event()
        self._given_up = threading.Event()
        self._failures = 0
        self._away = False

    def wake(self) -> None:
        """The spool has something new."""
        self._something.set()

    def close(self) -> None:
        """Nothing more will come."""
        self._closing.set()
        self._something.set()

    def give_up(self) -> None:
        """Send nothing more: a request that hangs may return after the next driver has started."""
        self._given_up.set()

    def run(self, *, until_closed: bool = False) -> None:
        """Send until the sweep has ended and nothing is left, or it failed too often after the end."""
        while not self._given_up.is_set() and not (until_closed and self._closing.is_set()):
            self._something.clear()
            names = self._spool.oldest(BATCH_BYTES)
            if not names:
                if self._closing.is_set():
                    return
                self._something.wait(1.0)
            elif self._sent(names):
                if self._spool.bytes < BATCH_BYTES:
                    self._closing.wait(GATHER_SECONDS)
            else:
                if not self._closing.is_set():
                    if self._closing.wait(waiting_time(self._failures)):
                        self._failures = 0  # a last chance, however long it has been away
                elif self._failures >= LAST_ATTEMPTS:
                    return
                else:
                    time.sleep(FIRST_WAIT)

    def _sent(self, names: Sequence[str]) -> bool:
        """Send files of the spool together; False if they must be tried again."""
        try:
            events = [event for name in names for event in self._spool.read(name)]
            if events:
                self._sink = self._sink or self._connected(min(event.first_ms for event in events))
                self._sink.send(events)
            for name in names:
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
        for name in names:
            self._tell_sent(name)
        return True

    def _connected(self, first_ms: int) -> Sink:
        with taking_its_time(self._progress):
            self._load()
        sink = self._connect(first_ms, self._progress)
        self._progress(False)
        return sink


@contextmanager
def taking_its_time(progress: Progress) -> Iterator[None]:
    """What is done in the block may take long without a sign of progress; its end is one."""
    progress(True)
    try:
        yield
    finally:
        progress(False)


class SenderThread(threading.Thread):
    """A Delivery by a thread of this process."""

    def __init__(
        self,
        connect: Connect,
        spool: Spool,
        load: Load = lambda: None,
        leave_now: threading.Event | None = None,
    ) -> None:
        super().__init__(name="mlflow-sender", daemon=True)
        self._clock = ProgressClock(leave_now)
        self._sender = Sender(connect, spool, load=load, progress=self._clock.note)

    def run(self) -> None:
        """Send."""
        self._sender.run()

    def wake(self) -> None:
        """The spool has something new."""
        self._sender.wake()

    def finish(self) -> None:
        """Send the rest and return, after a bounded time."""
        self._clock.closing()
        self._sender.close()
        wait_for_end(self, self._clock)
        self._sender.give_up()


class ProgressClock:
    """How long there has been no sign of progress; `leave_now` is set by who does not want to wait for any."""

    def __init__(self, leave_now: threading.Event | None = None) -> None:
        self._at = time.monotonic()
        self._leave_now = leave_now or threading.Event()

    def note(self, long: bool) -> None:
        """Take in a sign of progress; `long` if what comes next takes its time."""
        self._at = math.inf if long else time.monotonic()

    def closing(self) -> None:
        """Count from now on, unless what is under way takes its time."""
        self._at = max(self._at, time.monotonic())

    def has_run_out(self) -> bool:
        """Whether nothing is waited for any longer."""
        return self._leave_now.is_set() or time.monotonic() - self._at > END_SECONDS


def wait_for_end(thread: threading.Thread, clock: ProgressClock) -> None:
    """Wait for a thread that sends the rest: as long as there is progress, within bounds."""
    started = time.monotonic()
    while thread.is_alive():
        thread.join(0.1)
        if clock.has_run_out() or time.monotonic() - started > LONGEST_END_SECONDS:
            return


def waiting_time(failures: int) -> float:
    """Seconds to leave the server alone after so many failures in a row."""
    return float(min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(failures - 1, 10)))
