"""The board: what is known of a sweep's trials now, which wait, run, have ended, and what follows from that for the sweep.

The book keeps it; the control API, the conductor and Tune read it, and put edits and observations on it. Its lock is held
for moments, never over I/O or a listener's call: none of them waits for storage.
"""

import logging
import threading
from collections.abc import Mapping
from typing import Final

from tuningsweep_api.messages import DesiredState
from tuningsweep_api.outcomes import Reason
from tuningsweep_api.spec.objective import Objective
from tuningsweep_trainer.driver.live import Live, Progress
from tuningsweep_trainer.driver.sweep_end import SweepEnd, sweep_end
from tuningsweep_trainer.driver.tally import Tally
from tuningsweep_trainer.driver.upcoming import Upcoming
from tuningsweep_trainer.node.runtime import TrialStatus

MOST_ASKING: Final = 2
"""With parallelTrialCount Auto, trials that are with a supervisor and not known to train; one for each node if more."""

log = logging.getLogger(__name__)


class Board:
    """The trials of one sweep as everybody is shown them."""

    def __init__(self, objective: Objective, upcoming: Upcoming, desired: DesiredState) -> None:
        self._lock = threading.Lock()
        self._upcoming = upcoming
        self._tally = Tally(objective)
        self._live: dict[str, Live] = {}
        self._warned: set[tuple[str, Reason]] = set()
        self._nodes = 1
        self.desired = desired
        self.released: list[str] = []
        self.end: SweepEnd | None = None
        self.interrupted = False

    # -- what follows -------------------------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """No trial starts any more, whatever is edited."""
        return self.end is not None or self.interrupted or self.desired.end is not None

    @property
    def nothing_left(self) -> bool:
        """Nothing is left to hand out, unless maxTrialCount is raised."""
        with self._lock:
            return self.closed or self._upcoming.used_up(self.desired.max_trial_count)

    @property
    def most_active(self) -> int:
        """Trials that may be with Tune now: with Auto those that train, and a few that ask their node for memory."""
        with self._lock:
            count = self.desired.parallel_trial_count
            if isinstance(count, int):
                return count
            training = sum(live.training and not live.paused for live in self._live.values())
            return training + max(MOST_ASKING, self._nodes)

    @property
    def active(self) -> int:
        """Trials that are with Tune and not paused."""
        with self._lock:
            return sum(not live.paused for live in self._live.values())

    @property
    def anything_running(self) -> bool:
        """Whether a supervisor has a trial now."""
        with self._lock:
            return any(live.running for live in self._live.values())

    def progress(self) -> Progress:
        """A consistent copy for the state fold."""
        with self._lock:
            live = {name: Live(**vars(trial)) for name, trial in self._live.items()}
            return Progress(self._tally.copy(), {**live, **self._upcoming.left()}, len(self._warned), self.end)

    # -- what is put on it at once ------------------------------------------------------------------------------------

    def edit(self, desired: DesiredState) -> None:
        """Take in a desired state."""
        with self._lock:
            self.desired = desired
            self._judge_sweep()

    def observed(self, statuses: Mapping[str, TrialStatus], nodes: int) -> None:
        """What the supervisors of so many nodes said of their trials, half a second ago or so."""
        with self._lock:
            self._nodes = nodes
            for name, status in statuses.items():
                live = self._live.get(name)
                if live is not None and live.running and not live.training:
                    live.held, live.training = status.held, not status.held

    def paused(self, name: str) -> None:
        """Tune paused the trial: its process is of no more use."""
        with self._lock:
            live = self._live.get(name)
            if live is not None and live.running:
                live.running, live.paused = False, True
                self._release(live)

    def lost(self, name: str) -> None:
        """The trial's supervisor died: it waits for another one."""
        with self._lock:
            live = self._live.get(name)
            if live is not None:
                live.running = False
        if live is not None:
            log.warning("its supervisor died; the trial is tried again", extra={"trial": name})

    # -- parts of that, under the lock --------------------------------------------------------------------------------

    def _release(self, live: Live) -> None:
        if live.last is not None and live.last.process:
            self.released.append(live.last.process)

    def _judge_sweep(self) -> None:
        """Find out whether the sweep is over before all trials ran."""
        if self.end is None:
            self.end = sweep_end(self._tally, self.desired)
