"""The data set of a node: prepared once for all its trials, and tried again for as long as one of them asks for it.

A node may come long after the preflight, at a moment when the source can't be reached. That ends no trial at once.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

FIRST_PAUSE_SECONDS: Final = 2.0
"""After the first failure in a row; doubled with each."""
LONGEST_PAUSE_SECONDS: Final = 60.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DataState:
    """How far a node is with its data set."""

    data: dict[str, Any] | None = None
    """The prepared data set (a PreparedRef as JSON), once it is there."""
    failures: int = 0
    """Tries in a row that failed."""
    why: str = ""
    """What the last of them failed with."""


class NodeData:
    """Of one node agent, whose calls come in several threads."""

    def __init__(self, prepare: Callable[[], dict[str, Any]], clock: Callable[[], float] = time.monotonic) -> None:
        self._prepare, self._clock = prepare, clock
        self._trying, self._asking = threading.Lock(), threading.Lock()
        self._state = DataState()
        self._thread: threading.Thread | None = None
        self._not_before = 0.0

    def now(self) -> dict[str, Any]:
        """The data set, prepared by this call unless it is there; raises what preparing it raises, after one try."""
        with self._trying:
            data, failures = self._state.data, self._state.failures
            if data is None:
                data = self._prepare()
                if failures:
                    log.info("the data set is there, after %d failures", failures)
                self._state = DataState(data)
            return data

    def state(self) -> DataState:
        """How far it is, at once. A thread tries if nothing is there yet, unless the pause after a failure is not over."""
        with self._asking:
            busy = self._thread is not None and self._thread.is_alive()
            if self._state.data is None and not busy and self._clock() >= self._not_before:
                self._thread = threading.Thread(target=self._try, name="data", daemon=True)
                self._thread.start()
            return self._state

    def _try(self) -> None:
        try:
            self.now()
        except Exception as error:  # noqa: BLE001 - whatever it is, the trials that wait are told
            failures, why = self._state.failures + 1, str(error) or type(error).__name__
            if failures == 1:
                log.warning("the data set can't be had, it is tried again while trials wait for it: %s", why)
            self._not_before = self._clock() + min(FIRST_PAUSE_SECONDS * 2 ** (failures - 1), LONGEST_PAUSE_SECONDS)
            self._state = DataState(None, failures, why)
