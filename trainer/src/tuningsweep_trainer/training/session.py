"""The session of a training process: what `tuningsweep.report` and `tuningsweep.step` act on.

Inside a trial the training process installs a session over pipes and the step clock; without one (a script run by hand,
or as `trainable.command`) reports are printed as JSON lines and steps are counted in the process.
"""

import json
import math
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

from tuningsweep_trainer.results.checkpoints import CheckpointStore
from tuningsweep_trainer.training import wire
from tuningsweep_trainer.training.clock import StepClock
from tuningsweep_trainer.training.job import TrainingJob
from tuningsweep_trainer.training.process_tree import own_memory

CHECKPOINT: Final = "TUNINGSWEEP_CHECKPOINT"
"""In the environment of a `trainable.command` alone: the folder of the checkpoint to go on from, or nothing."""
BASE_STEP: Final = "TUNINGSWEEP_STEP"
"""Likewise: the steps of the trial that this checkpoint holds."""
REPORTS_AHEAD = 1
"""Reports a training process may be ahead of what Tune has seen."""


def checked_metrics(metrics: Mapping[str, object]) -> dict[str, float]:
    """Metrics as floats; TypeError or ValueError names the metric that is not a finite number."""
    if not isinstance(metrics, Mapping):
        raise TypeError(f"report() takes a mapping of metric names to numbers, not {type(metrics).__name__}")
    return {_checked_name(name): _checked_value(name, value) for name, value in metrics.items()}


def _checked_name(name: object) -> str:
    if not isinstance(name, str) or not name:
        raise TypeError(f"report() got the metric name {name!r}; names are non-empty strings")
    return name


def _checked_value(name: str, value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]  # whatever has __float__: NumPy and Torch scalars too
    except (TypeError, ValueError) as error:
        raise TypeError(f"metric {name!r} is {value!r}; report a number") from error
    if not math.isfinite(number):
        raise ValueError(f"metric {name!r} is {number}; report finite numbers, or leave the metric out")
    return number


def existing_folder(checkpoint: str | os.PathLike[str]) -> Path:
    """The folder that is reported as a checkpoint; NotADirectoryError if there is none."""
    if not os.fspath(checkpoint) or not Path(checkpoint).is_dir():  # a Path takes no text for the working directory
        raise NotADirectoryError(f"checkpoint {os.fspath(checkpoint)!r}: report the path of an existing folder")
    return Path(checkpoint)


class Session(Protocol):
    """What report() and step() need."""

    clock: StepClock

    def report(self, metrics: Mapping[str, object], checkpoint: str | os.PathLike[str] | None) -> None:
        """Hand over metrics and, optionally, a checkpoint folder."""


class TrialSession:
    """The session inside a trial."""

    def __init__(self, job: TrainingJob, reports: int, acknowledgements: int, clock: StepClock) -> None:
        self.clock = clock
        self._job = job
        self._reports = reports
        self._acknowledgements = acknowledgements
        self._store = CheckpointStore(job.checkpoint_root, job.trial)
        self._next_checkpoint = job.next_checkpoint
        self._count = 0
        self._ahead = 0

    def report(self, metrics: Mapping[str, object], checkpoint: str | os.PathLike[str] | None = None) -> None:
        """Send metrics; the content of the folder `checkpoint` is copied before this returns."""
        checked = checked_metrics(metrics)
        in_flight = self.clock.suspend()
        try:
            # One made at the end of a step that is still timed counts it.
            self._send(checked, checkpoint, self.clock.read().steps + (in_flight >= 0.0))
        finally:
            self.clock.resume(in_flight)

    def relay(self, metrics: Mapping[str, object], checkpoint: str | None, steps: int) -> None:
        """Send a report of a program that goes on meanwhile, as the clock does; it made it after so many steps."""
        self._send(checked_metrics(metrics), checkpoint, steps)

    def _send(self, metrics: dict[str, float], checkpoint: str | os.PathLike[str] | None, steps: int) -> None:
        self._count += 1
        step = self._job.base_step + (steps or self._count)
        number = None if checkpoint is None else self._save(existing_folder(checkpoint), step, metrics)
        decisive = self._job.objective_is_measured or self._job.objective in metrics
        message = {"kind": "report", "metrics": metrics, "step": step, "checkpoint": number, "decisive": decisive}
        if decisive:
            # A process may be gone before its supervisor gets to look at it.
            message["memory"] = own_memory()
        wire.send(self._reports, message)
        if decisive or number is not None:
            self._wait()

    def _save(self, folder: Path, step: int, metrics: dict[str, float]) -> int:
        number = self._next_checkpoint
        self._store.save(number, folder, step=step, metrics=metrics)
        self._next_checkpoint += 1
        return number

    def _wait(self) -> None:
        """Block while more than REPORTS_AHEAD reports are under way; leave the process if the supervisor is gone."""
        self._ahead += 1
        while self._ahead > REPORTS_AHEAD:
            taken = os.read(self._acknowledgements, 64)
            if not taken:
                os._exit(1)
            self._ahead -= len(taken)


class PrintingSession:
    """The session outside a trial: reports become JSON lines on standard output, as `trainable.command` wants them."""

    def __init__(self) -> None:
        descriptor = StepClock.create()
        self.clock = StepClock(descriptor)
        os.close(descriptor)
        self._base_step = int(os.environ.get(BASE_STEP, 0))
        self._count = 0

    def report(self, metrics: Mapping[str, object], checkpoint: str | os.PathLike[str] | None = None) -> None:
        """Print metrics with the step, and in a trial a copy of the checkpoint, for the caller may drop its own."""
        self._count += 1
        reading = self.clock.read()
        # One made at the end of a step that is still timed counts it.
        step = self._base_step + (reading.steps + (reading.started is not None) or self._count)
        line: dict[str, object] = {**checked_metrics(metrics), "step": step}
        if checkpoint is not None and CHECKPOINT in os.environ:
            line["checkpoint"] = shutil.copytree(existing_folder(checkpoint), tempfile.mkdtemp(), dirs_exist_ok=True)
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


_current: Session | None = None


def install(session: Session) -> None:
    """Make `session` the one of this process."""
    global _current
    _current = session


def current() -> Session:
    """The session of this process; a printing one if none was installed."""
    if _current is None:
        install(PrintingSession())
    assert _current is not None
    return _current
