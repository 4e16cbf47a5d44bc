"""The process that tells MLflow; started by process.py, which says how the two talk.

While the sweep goes on its sending thread has the lowest priority, so that training has the cores first. What is left at
the sweep's end is sent by the main thread, which has kept the driver's priority.
"""

import json
import logging
import os
import sys
import threading
from typing import Any, Final

from tuningsweep_trainer.results.store import open_store
from tuningsweep_trainer.tracking.sender import Progress, Sender, Sink
from tuningsweep_trainer.tracking.setup import connection, load, tracked_sweep
from tuningsweep_trainer.tracking.spool import Spool
from tuningsweep_trainer.training.linux import die_with_parent

LOWEST: Final = 19
"""Niceness: a thread of it gets 1.5 % of a core that a training process wants for itself."""


class Answers(logging.Handler):
    """Lines of JSON to the driver."""

    def __init__(self) -> None:
        super().__init__()
        self._pipe = os.fdopen(os.dup(1), "w", buffering=1)
        os.dup2(2, 1)  # whatever a library prints must not be taken for an answer

    def say(self, answer: dict[str, Any]) -> None:
        """Say something to the driver; nobody listens any more when it has given up."""
        with self.lock or threading.RLock():
            print(json.dumps(answer), file=self._pipe)

    def progress(self, long: bool) -> None:
        """It gets on; `long` if what comes next takes its time without a further word."""
        self.say({"long": long})

    def emit(self, record: logging.LogRecord) -> None:
        """A line of the log, for the driver to write where it writes its own."""
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + logging.Formatter().formatException(record.exc_info)
        trial = getattr(record, "trial", "")
        self.say({"logger": record.name, "level": record.levelno, "message": text, "trial": trial})


def main() -> int:
    """Send until the driver closes its end of the pipe and nothing is left."""
    told = json.loads(sys.stdin.readline())
    die_with_parent(told["parent"])
    answers = Answers()
    logger = logging.getLogger("tuningsweep_trainer")
    logger.addHandler(answers)
    logger.setLevel(logging.INFO)
    store = open_store(told["results"])
    sweep = tracked_sweep(store)
    assert sweep is not None, "the listener writes it before it starts this process"
    spool = Spool(store)
    connect = connection(sweep, told["results"])
    load(sweep, told["results"])  # now, so that the sweep's end does not wait for it
    answers.progress(long=False)

    def connect_and_yield(first_ms: int, progress: Progress) -> Sink:
        sink = connect(first_ms, progress)
        # Afterwards: importing MLflow takes seconds, which pass while Ray starts and nothing trains.
        if threading.current_thread() is not threading.main_thread():
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWEST)
        return sink

    sender = Sender(
        connect_and_yield,
        spool,
        load=lambda: None,
        progress=answers.progress,
        sent=lambda name: answers.say({"sent": name}),
    )
    low = threading.Thread(target=sender.run, kwargs={"until_closed": True}, name="low", daemon=True)
    low.start()
    for _ in sys.stdin:
        spool.refresh()
        sender.wake()
    spool.refresh()
    sender.close()
    low.join()
    sender.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
