"""Runs `trainable.command`: any program that prints its metrics as JSON lines.

The program runs without a shell as a child of the training process, with its parameters as JSON in
TUNINGSWEEP_PARAMETERS and the folder of the checkpoint to go on from in TUNINGSWEEP_CHECKPOINT. A line that is a JSON
object of numbers is a report, with the optional keys `step` and `checkpoint`, the path of a folder; every other line goes
to the trial's log. The time between two reports counts as the time of the steps between them, and the time since the last
report as the step in flight: lines are read as they come, by a thread, whatever the reports before them wait for.

A checkpoint is saved in the order of the reports, so that no more than a few are ahead of what Tune has seen. That may be
long after its line, and the program is not told, so its folders must stay: those in its TMPDIR are removed here, once saved.
"""

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from tuningsweep_trainer.training.clock import StepClock
from tuningsweep_trainer.training.job import TrainingJob
from tuningsweep_trainer.training.output import Output
from tuningsweep_trainer.training.session import BASE_STEP, CHECKPOINT, TrialSession

PARAMETERS: Final = "TUNINGSWEEP_PARAMETERS"
REPORTS_WAITING = 256
"""Reports that may wait for Tune. With more the program's output is left in its pipe, and that time is no step's."""


class CommandFailedError(RuntimeError):
    """The program ended with a status other than zero."""


class LineReport(NamedTuple):
    """What a line reports."""

    metrics: dict[str, float]
    step: int | None
    """The trial's, those before the checkpoint that it went on from included; None if the line does not say."""
    checkpoint: str | None = None
    """Path of a folder."""


def parse_report(line: str) -> LineReport | None:
    """The report in a line, or None if the line is not a JSON object of numbers, a checkpoint's path aside."""
    if not line.lstrip().startswith("{"):
        return None
    try:
        content = json.loads(line)
    except ValueError:
        return None
    if not isinstance(content, dict) or not content:
        return None
    checkpoint = content.pop("checkpoint") if isinstance(content.get("checkpoint"), str) else None
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in content.values()):
        return None
    step = content.pop("step", None)
    return LineReport(content, None if step is None else int(step), checkpoint)


class OutputReader(threading.Thread):
    """Reads a program's output until it has ended and times its steps on the clock, which no one else writes to."""

    def __init__(self, process: subprocess.Popen[bytes], clock: StepClock, now: float, base_step: int) -> None:
        super().__init__(name="command-output", daemon=True)
        self._process, self._clock = process, clock
        self._last = now
        self._step = self._base_step = base_step
        self._over = False
        self._waiting: queue.Queue[tuple[LineReport, int] | None] = queue.Queue(REPORTS_WAITING)
        self._error: BaseException | None = None
        clock.start(now)

    def reports(self) -> Iterator[tuple[LineReport, int]]:
        """Each report and the steps this process had done, until the program has ended; raises what the thread met."""
        yield from iter(self._waiting.get, None)
        if self._error is not None:
            raise self._error

    def run(self) -> None:
        """Read until the program has ended."""
        try:
            self._read()
        except BaseException as error:  # noqa: BLE001 - the main thread raises it, and the trial ends with it
            self._error = error
        finally:
            self._waiting.put(None)

    def _read(self) -> None:
        for line in Output(self._process, self._end).lines():
            if not self._take(line, time.monotonic()):
                sys.stdout.write(line)
        # It may have closed its output and go on.
        self._process.wait()
        self._end()

    def _end(self) -> None:
        """The program has ended: lines and reports may wait for long yet, and no step is in flight meanwhile."""
        self._over = True
        self._clock.suspend()

    def _take(self, line: str, now: float) -> bool:
        """Take in one line; False if it is not a report."""
        report = parse_report(line)
        if report is None:
            return False
        self._count(self._step + 1 if report.step is None else report.step, now)
        # A program is not held up by its supervisor's pipe, so its next step begins where this one ended.
        self._last = now + (self._hand_over(report) if report.metrics or report.checkpoint is not None else 0.0)
        if not self._over:
            self._clock.start(self._last)
        return True

    def _count(self, step: int, now: float) -> None:
        self._clock.suspend()
        self._clock.advance(step - self._step, now - self._last)
        self._step = max(step, self._step)

    def _hand_over(self, report: LineReport) -> float:
        """Returns the seconds that nothing was read in because too many reports wait."""
        began = time.monotonic()
        self._waiting.put((report, self._step - self._base_step))
        return time.monotonic() - began


def run_command(job: TrainingJob, session: TrialSession) -> None:
    """Run the program to its end; CommandFailedError names the status if it is not zero."""
    command = job.trainable.command
    assert command is not None
    process = subprocess.Popen(  # noqa: S603 - the user's program, run without a shell
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=_environment(job)
    )
    reader = OutputReader(process, session.clock, time.monotonic(), job.base_step)
    reader.start()
    for report, steps in reader.reports():
        session.relay(report.metrics, report.checkpoint, steps)
        if report.checkpoint is not None and job.scratch is not None:
            _tidy(Path(report.checkpoint), Path(job.scratch))
    status = process.wait()
    if status != 0:
        how = f"signal {-status}" if status < 0 else f"status {status}"
        raise CommandFailedError(f"{command[0]} ended with {how}; its output is in the trial's log")


def _environment(job: TrainingJob) -> dict[str, str]:
    own = {
        PARAMETERS: json.dumps(job.parameters),
        CHECKPOINT: job.checkpoint or "",
        BASE_STEP: str(job.base_step),
    }
    return {**os.environ, **own, **({} if job.scratch is None else {"TMPDIR": job.scratch})}


def _tidy(saved: Path, scratch: Path) -> None:
    """Remove a folder that has been saved if it is in the trial's own, and not a way out of it."""
    if scratch.resolve() in saved.resolve().parents:
        shutil.rmtree(saved, ignore_errors=True)
