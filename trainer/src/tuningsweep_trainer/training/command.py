"""Runs `trainable.command`: any program that prints its metrics as JSON lines.

The program runs without a shell as a child of the training process, with its parameters as JSON in
TUNINGSWEEP_PARAMETERS and the folder of the checkpoint to go on from in TUNINGSWEEP_CHECKPOINT. A line that is a JSON
object of numbers is a report, with the optional key `step`; every other line goes to the trial's log. The time between
two reports counts as the time of the steps between them, and the time since the last report as the step in flight.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

from tuningsweep_trainer.training.clock import StepClock
from tuningsweep_trainer.training.session import current

PARAMETERS: Final = "TUNINGSWEEP_PARAMETERS"
CHECKPOINT: Final = "TUNINGSWEEP_CHECKPOINT"
MAX_LINE: Final = 1 << 16


class CommandFailedError(RuntimeError):
    """The program ended with a status other than zero."""


def parse_report(line: str) -> tuple[dict[str, float], int | None] | None:
    """Metrics and step of a line, or None if the line is not a JSON object of numbers."""
    if not line.lstrip().startswith("{"):
        return None
    try:
        content = json.loads(line)
    except ValueError:
        return None
    if not isinstance(content, dict) or not content:
        return None
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in content.values()):
        return None
    step = content.pop("step", None)
    return content, None if step is None else int(step)


class CommandReports:
    """Turns a program's output lines into reports and steps."""

    def __init__(self, clock: StepClock, now: float) -> None:
        self._clock = clock
        self._last = now
        self._step = 0
        clock.start(now)

    def line(self, line: str, now: float) -> bool:
        """Take in one line; False if it is not a report."""
        report = parse_report(line)
        if report is None:
            return False
        metrics, step = report
        self._count(self._step + 1 if step is None else step, now)
        if metrics:
            current().report(metrics, None)
        # A program is not held up by its supervisor's pipe, so its next step begins where this one ended.
        self._clock.start(now)
        return True

    def _count(self, step: int, now: float) -> None:
        self._clock.suspend()
        self._clock.advance(step - self._step, now - self._last)
        self._step, self._last = max(step, self._step), now


def run_command(command: list[str], parameters: dict[str, Any], checkpoint: Path | None, clock: StepClock) -> None:
    """Run the program to its end; CommandFailedError names the status if it is not zero."""
    environment = {**os.environ, PARAMETERS: json.dumps(parameters), CHECKPOINT: str(checkpoint or "")}
    process = subprocess.Popen(  # noqa: S603 - the user's program, run without a shell
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment, text=True, errors="replace"
    )
    assert process.stdout is not None
    reports = CommandReports(clock, time.monotonic())
    while line := process.stdout.readline(MAX_LINE):
        if not reports.line(line, time.monotonic()):
            sys.stdout.write(line)
    status = process.wait()
    if status != 0:
        how = f"signal {-status}" if status < 0 else f"status {status}"
        raise CommandFailedError(f"{command[0]} ended with {how}; its output is in the trial's log")
