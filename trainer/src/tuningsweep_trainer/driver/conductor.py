"""The driver's second thread: keeps the nodes' agents and orders current, folds the state, tells those who watch.

Tune has the main thread to itself, so whatever it is waiting for, edited limits and stop requests reach the supervisors.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tuningsweep_api.messages import DesiredState, SweepResult, SweepState
from tuningsweep_api.outcomes import Reason
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.clocks import timestamp
from tuningsweep_trainer.driver.book import Book
from tuningsweep_trainer.driver.fleet import Fleet
from tuningsweep_trainer.driver.state import fold_state
from tuningsweep_trainer.driver.summary import summarise
from tuningsweep_trainer.node.runtime import Orders, TrialStatus
from tuningsweep_trainer.results.desired import DesiredFile

TURN_SECONDS: Final = 0.5

log = logging.getLogger(__name__)


def orders_of(book: Book) -> Orders:
    """The orders that follow from the book; the fleet numbers them."""
    end: Reason | None = None if book.end is None else book.end.reason
    return Orders(revision=0, desired=book.desired, released=list(book.released), end=end, interrupted=book.interrupted)


@dataclass(frozen=True, eq=False)
class _Edit:
    """A desired state as it came; the same one again is another edit."""

    desired: DesiredState
    digest: str
    """Its sender's."""


class Conductor(threading.Thread):
    """Turns about twice a second, and at once when something was edited."""

    def __init__(
        self,
        sweep: TuningSweep,
        book: Book,
        fleet: Fleet,
        driver_id: str,
        on_state: Callable[[SweepState], None] | None,
        desired_file: DesiredFile | None,
    ) -> None:
        super().__init__(name="conductor", daemon=True)
        self._sweep, self._book, self._fleet, self._on_state = sweep, book, fleet, on_state
        self._desired_file = desired_file
        self._driver_id, self._start_time = driver_id, timestamp()
        self._edited = self._kept = _Edit(book.desired, book.desired.digest())
        self._editing = threading.Lock()
        self._keeping = threading.Lock()
        self._statuses: dict[str, TrialStatus] = {}
        self._wake = threading.Event()
        self._leaving = threading.Event()
        self.result: SweepResult | None = None
        self.acknowledged = threading.Event()
        self.after_turn: Callable[[], None] | None = None
        """Called in this thread after every turn: the state may be another one."""

    def edit(self, desired: DesiredState, digest: str) -> None:
        """Put a desired state in force at once, by its sender's digest of it; `keep` is to follow."""
        if desired.acknowledged and self.result is not None:
            self.acknowledged.set()
        with self._editing:
            if digest == self._edited.digest:
                return
            self._book.edit(desired)
            self._edited = _Edit(desired, digest)
        self._wake.set()
        log.info("desired state %s is in force", digest)

    def keep(self) -> SweepState:
        """Keep what is in force for the next driver, which takes as long as storage does; the state that follows.

        OSError if it can't be kept; it is in force all the same.
        """
        with self._keeping:
            # Not the edit that one came with: a later one may have been kept by somebody else meanwhile.
            edit = self._edited
            if edit is not self._kept:
                if self._desired_file is not None:
                    self._desired_file.write(edit.desired)
                self._kept = edit
        return self.state()

    def nudge(self) -> None:
        """Take a turn now."""
        self._wake.set()

    def state(self) -> SweepState:
        """The state now."""
        # Before the progress: with a result, and with an edit, goes all that led to it.
        result, digest = self.result, self._confirmed
        return fold_state(
            self._sweep,
            self._book.progress(),
            self._statuses,
            driver_id=self._driver_id,
            start_time=self._start_time,
            digest=digest,
            result=result,
        )

    @property
    def _confirmed(self) -> str:
        """The digest of what is in force, by which the operator knows what need not be sent again; none until it is kept."""
        edited = self._edited
        return edited.digest if edited is self._kept else ""

    def run(self) -> None:
        """Turn until `leave`."""
        while not self._leaving.is_set():
            try:
                self.turn()
            except Exception:
                log.exception("the conductor failed; it goes on")
            self._wake.wait(TURN_SECONDS)
            self._wake.clear()

    def turn(self) -> None:
        """One round: orders, nodes, observations, watchers. Nothing in it waits, so that edits take hold at once."""
        try:
            self._fleet.order(orders_of(self._book))
            self._fleet.meet_nodes()
            self._statuses = self._fleet.observe(summarise(self._book.progress()))
            self._book.observed(self._statuses, self._fleet.nodes)
            if self._on_state is not None:
                self._on_state(self.state())
        finally:  # trials end whatever becomes of the nodes
            if self.after_turn is not None:
                self.after_turn()

    def leave(self) -> None:
        """Stop turning, if it was started."""
        self._leaving.set()
        self._wake.set()
        if self.is_alive():
            self.join(timeout=10)
