"""The runtime folder of one node and one driver: small files in shared memory between driver, supervisors and exporter.

`orders.json` comes from the driver (through the node agent) and is looked at by supervisors on every sample, which costs
a stat; `trials/PID.json` is what each supervisor last knew of its trial, `steps/PID.json` the step times of all its trials.
Every file is replaced whole, so nobody locks.
"""

import contextlib
import errno
import json
import os
import tempfile
from pathlib import Path
from typing import Final

from tuningsweep_api.messages import DesiredState
from tuningsweep_api.model import Model
from tuningsweep_api.outcomes import Reason
from tuningsweep_api.trials import Metrics
from tuningsweep_trainer.node.files import matching, replace_file
from tuningsweep_trainer.node.step_times import StepTimes, sum_step_times

RELEASED_KEPT: Final = 512
"""Processes that the driver names as no longer wanted; the oldest are forgotten."""

ORDERS_BYTES: Final = 1 << 16
"""What orders are filled up to with spaces, and as much is kept beside them: so the next ones fit in what these leave."""


class Orders(Model):
    """What the driver wants of the supervisors of all nodes, whole."""

    revision: int
    """Grows with every change of this driver."""
    desired: DesiredState
    released: list[str] = []
    """Ids of training processes whose trial was paused or pruned by the scheduler: they are of no more use."""
    end: Reason | None = None
    """Set when the sweep ends: trials that run are stopped with this reason."""
    interrupted: bool = False
    """True when the driver is leaving without ending the sweep: processes are killed, trials stay unfinished."""


class Warned(Model):
    """A limit that a trial went over while the action was Warn."""

    reason: Reason
    observed: float
    limit: float


class TrialStatus(Model):
    """What a supervisor last knew of its trial; memory in bytes, times in seconds."""

    trial: str
    process: str
    """Id of the training process (not its PID)."""
    supervisor_pid: int
    pid: int = 0
    memory: int = 0
    memory_limit: int | None = None
    gpu_memory: int | None = None
    gpu_memory_limit: int | None = None
    steps: int = 0
    mean_step_time: float | None = None
    mean_step_time_limit: float | None = None
    step_in_flight: float | None = None
    longest_step: float = 0.0
    """Wall time of the longest step finished."""
    step_time_limit: float | None = None
    duration: float = 0.0
    """Wall time of the training process so far."""
    duration_limit: float | None = None
    cpu_percent: float = 0.0
    metrics: Metrics = {}
    objective: float | None = None
    warnings: list[Warned] = []
    held: str = ""
    """Why the trial waits before a training process starts; there is none yet, and nothing is measured."""


def runtime_folder(run_id: str, node_id: str) -> Path:
    """The folder for a driver and a node; its name is unguessable by the run id."""
    return shared_folder() / f"tuningsweep-{os.getuid()}-{run_id}" / node_id[:16]


def runtime_folders() -> str:
    """The pattern of all of them, of this user, below `shared_folder`."""
    return f"tuningsweep-{os.getuid()}-*/*"


def shared_folder() -> Path:
    """Where private folders for the processes of one machine go: in shared memory where there is some."""
    shared = Path("/dev/shm")  # noqa: S108 - what is put there is private
    return shared if shared.is_dir() and os.access(shared, os.W_OK) else Path(tempfile.gettempdir())


class RuntimeFolder:
    """Access to the files of a runtime folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._orders = path / "orders.json"
        self._kept_room = path / "room-for-orders"
        self._trials = path / "trials"
        self._steps = path / "steps"

    def make(self) -> None:
        """Make the folders, readable by nobody else."""
        for folder in (self._trials, self._steps):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write_orders(self, orders: Orders) -> None:
        """Replace the orders; OSError if there is no room, not even what was kept for them.

        A trial that fills the shared memory can be stopped so, by its limits or by a person.
        """
        content = orders.model_dump_json(by_alias=True).ljust(ORDERS_BYTES)
        try:
            replace_file(self._orders, content)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            self._kept_room.unlink(missing_ok=True)
            replace_file(self._orders, content)
        if not self._kept_room.exists():
            with contextlib.suppress(OSError):  # the next orders try again
                replace_file(self._kept_room, " " * ORDERS_BYTES)

    def read_orders(self) -> Orders | None:
        """The orders, None before the first."""
        try:
            return Orders.model_validate_json(self._orders.read_bytes())
        except FileNotFoundError:
            return None

    def orders_version(self) -> tuple[int, int]:
        """Changes whenever the orders were replaced; cheap."""
        try:
            found = self._orders.stat()
        except FileNotFoundError:
            return (0, 0)
        return (found.st_ino, found.st_mtime_ns)

    def write_status(self, status: TrialStatus) -> None:
        """Replace the status of this supervisor's trial."""
        replace_file(self._trials / f"{status.supervisor_pid}.json", status.model_dump_json(by_alias=True))

    def clear_status(self, supervisor_pid: int) -> None:
        """This supervisor trains nothing now."""
        (self._trials / f"{supervisor_pid}.json").unlink(missing_ok=True)

    def statuses(self) -> list[TrialStatus]:
        """The status of every trial whose supervisor lives; what dead supervisors left is removed."""
        found: list[TrialStatus] = []
        for file in matching(self._trials, "*.json"):
            if not Path(f"/proc/{file.stem}").exists():
                file.unlink(missing_ok=True)
                continue
            try:
                found.append(TrialStatus.model_validate(json.loads(file.read_text())))
            except FileNotFoundError:
                continue  # its trial has just ended
        return found

    def write_step_times(self, supervisor_pid: int, times: StepTimes) -> None:
        """Replace the step times of all trials of this supervisor so far."""
        replace_file(self._steps / f"{supervisor_pid}.json", times.model_dump_json(by_alias=True))

    def step_times_of(self, supervisor_pid: int) -> StepTimes:
        """Step times of all trials of this supervisor so far."""
        try:
            return StepTimes.model_validate_json((self._steps / f"{supervisor_pid}.json").read_bytes())
        except FileNotFoundError:
            return StepTimes()

    def step_times(self) -> StepTimes:
        """Step times of all trials of this node; what dead supervisors left still counts."""
        return sum_step_times(self.step_times_of(int(file.stem)) for file in matching(self._steps, "[0-9]*.json"))
