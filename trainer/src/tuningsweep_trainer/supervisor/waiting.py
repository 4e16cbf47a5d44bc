"""What a trial waits for before it gets a training process: its node's data set, and memory (parallelTrialCount Auto).

It is held meanwhile: it is seen to wait, follows the driver's orders, and no limit counts.
"""

import os
import time
from typing import Final

from tuningsweep_api.messages import desired_state
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.spec.sweep_rules import AUTO
from tuningsweep_trainer.errors import DatasetError
from tuningsweep_trainer.node.access import NodeAccess
from tuningsweep_trainer.node.runtime import Orders, RuntimeFolder, TrialStatus
from tuningsweep_trainer.supervisor.admission import Admission
from tuningsweep_trainer.supervisor.ending import stopped
from tuningsweep_trainer.supervisor.launcher import Launcher
from tuningsweep_trainer.supervisor.packing import expected_peak
from tuningsweep_trainer.supervisor.reports import Ended
from tuningsweep_trainer.supervisor.standing_orders import stop_reason
from tuningsweep_trainer.supervisor.status import Publisher

HELD_SECONDS: Final = 0.2
"""Between two questions of a held trial whether it may go on now."""
OUTAGE_SECONDS: Final = 300.0
"""How long a trial waits for a data set that can't be had, from the first failure that it hears of."""


class Hold:
    """A trial that waits."""

    def __init__(self, sweep: TuningSweep, runtime: RuntimeFolder, trial: str) -> None:
        self._sweep, self._runtime, self._trial = sweep, runtime, trial
        self._publisher = Publisher(runtime, trial)

    def orders(self) -> Orders:
        """The driver's, or what the spec says before its first."""
        return self._runtime.read_orders() or Orders(revision=0, desired=desired_state(self._sweep))

    def end(self, orders: Orders) -> Ended | None:
        """How the trial is to end by these orders, if it is to."""
        if orders.interrupted:
            return Ended(None)
        reason = stop_reason(orders, self._trial)
        return None if reason is None else Ended(stopped(reason))

    def wait(self, why: str) -> None:
        """Let everybody see why, and pass some time."""
        self._publisher.put(TrialStatus(trial=self._trial, process="", supervisor_pid=os.getpid(), held=why))
        time.sleep(HELD_SECONDS)

    def over(self) -> None:
        """It waits no more."""
        self._runtime.clear_status(os.getpid())


def wait_for_data(hold: Hold, node: NodeAccess) -> Ended | None:
    """Hold a trial of a built-in workload until `node.data` is there; its end if it is to end meanwhile.

    DatasetError if the node has tried in vain for OUTAGE_SECONDS. A try that is under way is waited for.
    """
    known = 0
    since: float | None = None
    while node.data is None:
        ended = hold.end(hold.orders())
        if ended is not None:
            return ended
        state = node.ask_for_data()
        if state.failures > known:
            now = time.monotonic()
            since = now if since is None else since
            if now - since > OUTAGE_SECONDS:
                raise DatasetError(state.why)
        known = state.failures
        if node.data is None:
            trouble = f", which can't be had yet: {state.why}" if state.why else ""
            hold.wait(f"waits for its node's data set{trouble}")
    return None


def wait_for_memory(hold: Hold, admission: Admission, launcher: Launcher, expected: int | None) -> Ended | None:
    """With parallelTrialCount Auto, hold a trial while there is no memory for it; its end if it is to end meanwhile.

    `expected` is the memory that it is expected to hold at most, in bytes, if that is known.
    """
    while True:
        orders = hold.orders()
        ended = hold.end(orders)
        if ended is not None or orders.desired.parallel_trial_count != AUTO:
            admission.leave()
            return ended
        why = admission.ask(launcher.ready(), expected_peak(expected, orders.desired.limits), time.monotonic())
        if why is None:
            return None
        hold.wait(why)
