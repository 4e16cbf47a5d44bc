"""Drops from the results what nobody will read again, in a thread of its own: storage may be slow.

Of a trial that has ended that is every checkpoint but its newest, which is the model that it leaves; after the sweep it is
what Tune has copied to pause and clone trials. What can't be dropped is logged, and of ended trials tried again by the next
driver.
"""

import logging
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from tuningsweep_trainer.results.checkpoints import FOLDER, CheckpointStore
from tuningsweep_trainer.results.store import open_store

TUNE_FOLDER: Final = "tune"
"""What Tune keeps in the results."""
LEAVE_SECONDS: Final = 10.0
"""How long a driver that leaves waits for what is left to drop; an interrupted one for what is being dropped."""

log = logging.getLogger(__name__)


class Tidier(threading.Thread):
    """The thread; it is told from outside and keeps nobody waiting but in `leave`."""

    def __init__(self, results: str, ended: Sequence[str]) -> None:
        """`ended`: trials that ended under earlier drivers, so that nothing of them runs any more."""
        super().__init__(name="tidier", daemon=True)
        self._results = results
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._over = False
        self._leaving = threading.Event()
        if ended:
            self._tasks.put(lambda: self._drop_of_earlier(ended))

    def trial_ended(self, trial: str, checkpoint: int) -> None:
        """The trial's end is on record.

        Its supervisor, which may not be done yet, drops none but checkpoints after this one. The newest may be among those.
        """
        if checkpoint > 0:
            self._tasks.put(lambda: CheckpointStore(self._results, trial).drop_older(checkpoint))

    def sweep_ended(self) -> None:
        """Nothing runs any more, and nothing goes on."""
        self._tasks.put(lambda: open_store(self._results).delete(TUNE_FOLDER))
        self._over = True

    def leave(self) -> None:
        """Wait a bounded time: for everything if the sweep has ended, else for what is being dropped."""
        if not self._over:
            self._leaving.set()
        self._tasks.put(None)
        if self.is_alive():
            self.join(LEAVE_SECONDS)

    def run(self) -> None:
        """Work until `leave`."""
        while (task := self._tasks.get()) is not None and not self._leaving.is_set():
            with _logged():
                task()

    def _drop_of_earlier(self, ended: Sequence[str]) -> None:
        there = set(open_store(self._results).names(FOLDER))
        for trial in ended:
            if trial in there and not self._leaving.is_set():
                with _logged():
                    self._keep_newest(CheckpointStore(self._results, trial))

    @staticmethod
    def _keep_newest(checkpoints: CheckpointStore) -> None:
        newest = checkpoints.latest()
        if newest is not None:
            checkpoints.drop_older(newest.number)


@contextmanager
def _logged() -> Iterator[None]:
    """Log what fails inside, and go on."""
    try:
        yield
    except Exception:
        log.exception("what is of no more use could not be dropped from the results")
