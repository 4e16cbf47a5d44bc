"""The sender in a process of its own, which yields to training: started by the listener of a driver.

MLflow's client takes some 40 ms of CPU a trial and holds Python's lock meanwhile, so it runs neither in the driver nor at
the priority of trials. The two talk by pipes: the driver writes where the results are, then a newline for each new file
of the spool; the process answers with lines of JSON: that it gets on, files that are sent, its log. It ends with the driver.
"""

import json
import logging
import os
import subprocess
import sys
import threading
from typing import IO, Final

from tuningsweep_trainer.tracking import sender
from tuningsweep_trainer.tracking.spool import Spool

STARTS: Final = 3
"""Times that the process is started before what is left stays in the spool."""
COMMAND: Final = (sys.executable, "-m", "tuningsweep_trainer.tracking")

log = logging.getLogger(__name__)


class SenderProcess(threading.Thread):
    """A Delivery by a process; the thread reads its answers. Start it in a thread that lasts: the process ends with it."""

    def __init__(self, results: str, spool: Spool, leave_now: threading.Event | None = None) -> None:
        super().__init__(name="mlflow-sender", daemon=True)
        self._results, self._spool = results, spool
        self._closing = threading.Event()
        self._clock = sender.ProgressClock(leave_now)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process and its reader."""
        self._process = self._launched()
        super().start()

    def wake(self) -> None:
        """The spool has something new; a process that is behind has been told already."""
        try:
            os.write(_input_of(self._process).fileno(), b"\n")
        except (BlockingIOError, BrokenPipeError, ValueError):
            return

    def finish(self) -> None:
        """Send the rest and return, after a bounded time; a process that hangs is killed."""
        self._clock.closing()
        self._closing.set()
        assert self._process is not None
        _input_of(self._process).close()
        sender.wait_for_end(self, self._clock)
        self._process.kill()

    def run(self) -> None:
        """Read answers until the end; a process that ended early is started again, a few times."""
        for attempt in range(1, STARTS + 1):
            assert self._process is not None
            self._listen(self._process)
            self._process.wait()
            if self._closing.is_set():
                return
            log.warning("the process that tells MLflow ended early (start %d of %d); events are kept", attempt, STARTS)
            if attempt < STARTS and not self._closing.wait(sender.waiting_time(attempt)):
                self._process = self._launched()

    def _launched(self) -> subprocess.Popen[bytes]:
        # A group of its own, so that Ctrl-C and a job's stop reach the driver alone, which then lets the rest be sent.
        process = subprocess.Popen(  # noqa: S603 - no word of the command comes from outside
            COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0
        )
        pipe = _input_of(process)
        # Not as an argument: a URI may hold credentials, and arguments are everybody's to read.
        pipe.write(json.dumps({"results": self._results, "parent": os.getpid()}).encode() + b"\n")
        pipe.flush()
        os.set_blocking(pipe.fileno(), False)
        self._clock.note(long=True)  # it loads MLflow
        return process

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            answer = json.loads(line)
            if "sent" in answer:
                self._spool.forget(answer["sent"])
            if "message" not in answer:
                self._clock.note(long=answer.get("long", False))
            else:
                extra = {"trial": answer["trial"]} if answer["trial"] else {}
                logging.getLogger(answer["logger"]).log(answer["level"], "%s", answer["message"], extra=extra)


def _input_of(process: subprocess.Popen[bytes] | None) -> IO[bytes]:
    assert process is not None
    assert process.stdin is not None
    return process.stdin
