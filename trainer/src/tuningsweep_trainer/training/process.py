"""The training process itself: what runs in the child that the fork server made, from its first line to its end.

It says on the report pipe how the trainable ended; a process that ends without saying so has died.
"""

import contextlib
import importlib
import inspect
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tuningsweep_api.spec.trainable import BuiltinTrainable
from tuningsweep_trainer.training import linux, wire
from tuningsweep_trainer.training.clock import StepClock
from tuningsweep_trainer.training.job import TrainingJob
from tuningsweep_trainer.training.preload import draw_again
from tuningsweep_trainer.training.process_tree import own_memory
from tuningsweep_trainer.training.session import TrialSession, install

MAX_TRACEBACK = 20_000


def run(descriptors: dict[str, int]) -> None:
    """Run the job in descriptors["job"] and leave the process; the other descriptors are its pipes, clock and log."""
    _settle(descriptors["log"])
    reports = descriptors["reports"]
    status = 1
    try:
        with os.fdopen(descriptors["job"], "rb") as file:
            job = TrainingJob.model_validate_json(file.read())
        session = TrialSession(job, reports, descriptors["acknowledgements"], StepClock(descriptors["clock"]))
        install(session)
        if job.rehearsal:
            _rehearse(job, reports)
        _train(job, session)
        wire.send(reports, finished())
        status = 0
    except SystemExit as error:
        status = _exited(error, reports)
    except BaseException as error:  # noqa: BLE001 - whatever a user's code raises is the trial's end, and is reported
        with contextlib.suppress(OSError):
            wire.send(reports, failure(error))
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _settle(log: int) -> None:
    """Own session, default signals, output to the trial's log, first victim of the kernel."""
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    linux.be_first_victim()
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False, errors="backslashreplace")
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False, errors="backslashreplace")


def _exited(error: SystemExit, reports: int) -> int:
    code = error.code
    if code is None or code == 0:
        wire.send(reports, finished())
        return 0
    wire.send(reports, {"kind": "failed", "message": f"SystemExit: {code}", "traceback": ""})
    return 1


def finished() -> wire.Message:
    """The message that the trainable came to its end; with memory as in a report, for the process is gone in a moment."""
    return {"kind": "finished", "memory": own_memory()}


def failure(error: BaseException) -> wire.Message:
    """The message that a trainable raised: last line for people, traceback for the log."""
    lines = traceback.format_exception(error)
    return {
        "kind": "failed",
        "message": "".join(traceback.format_exception_only(error)).strip()[:1000],
        "traceback": "".join(lines)[-MAX_TRACEBACK:],
    }


def _rehearse(job: TrainingJob, reports: int) -> None:
    """Load what a trial would load, say how long it took, and wait to be measured and killed."""
    started = time.monotonic()
    if job.trainable.function is not None:
        load_function(job.trainable.function)
    elif job.trainable.builtin is not None:
        builtin_arguments(job)
    wire.send(reports, {"kind": "ready", "seconds": time.monotonic() - started})
    time.sleep(3600)


def _train(job: TrainingJob, session: TrialSession) -> None:
    trainable = job.trainable
    checkpoint = None if job.checkpoint is None else Path(job.checkpoint)
    if trainable.function is not None:
        draw_again()
        call_function(load_function(trainable.function), dict(job.parameters), checkpoint)
    elif trainable.command is not None:
        from tuningsweep_trainer.training.command import run_command

        run_command(job, session)
    else:
        train, arguments = builtin_arguments(job)
        train(dict(job.parameters), checkpoint, **arguments)


def load_function(reference: str) -> Callable[..., object]:
    """The function that `module:function` names; ImportError or AttributeError if there is none, TypeError if not one."""
    module, _, name = reference.partition(":")
    function = getattr(importlib.import_module(module), name)
    if not callable(function):
        raise TypeError(f"trainable.function: {reference} is not callable")
    return function  # type: ignore[no-any-return]


def call_function(function: Callable[..., object], parameters: dict[str, Any], checkpoint: Path | None) -> None:
    """Call a user's function with the parameters, and with the checkpoint if its signature has room for it."""
    if takes_checkpoint(function):
        function(parameters, checkpoint=checkpoint)
    else:
        function(parameters)


def takes_checkpoint(function: Callable[..., object]) -> bool:
    """Whether a function accepts the keyword `checkpoint`."""
    try:
        accepted = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False
    return "checkpoint" in accepted or any(p.kind is p.VAR_KEYWORD for p in accepted.values())


def builtin_arguments(job: TrainingJob) -> tuple[Callable[..., object], dict[str, Any]]:
    """The training function of the built-in workloads, and its keyword arguments with the data set mapped read-only."""
    from tuningsweep_trainer.datasets.store import PreparedRef, attach
    from tuningsweep_trainer.workloads.builtin import train

    spec = job.trainable.builtin
    assert isinstance(spec, BuiltinTrainable)
    return train, {"spec": spec, "arrays": attach(PreparedRef.model_validate(job.data))}
