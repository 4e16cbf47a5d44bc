"""Listeners: code that is told of what happens to trials (tracking, tables) and can do them no harm."""

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from tuningsweep_api.messages import SweepState
from tuningsweep_api.trials import Metrics, ParameterValue, TrialRecord

log = logging.getLogger(__name__)


class TrialListener(Protocol):
    """Told of trials in the driver's main thread, in order; slow listeners slow the sweep down."""

    def trial_started(self, name: str, parameters: dict[str, ParameterValue]) -> None:
        """A trial starts, or goes on after a pause or crash."""

    def trial_reported(self, name: str, metrics: Metrics, step: int) -> None:
        """A trial reported."""

    def trial_ended(self, record: TrialRecord) -> None:
        """A trial has ended and is on record."""

    def sweep_ended(self, state: SweepState) -> None:
        """The sweep has ended, or the driver leaves early."""


class Listeners:
    """Calls every listener; what one raises is logged and goes no further."""

    def __init__(self, listeners: Sequence[TrialListener]) -> None:
        self._listeners = list(listeners)

    def started(self, name: str, parameters: dict[str, ParameterValue]) -> None:
        """Tell of a start."""
        self._each(lambda listener: listener.trial_started(name, parameters), name)

    def reported(self, name: str, metrics: Metrics, step: int) -> None:
        """Tell of a report."""
        self._each(lambda listener: listener.trial_reported(name, metrics, step), name)

    def ended(self, record: TrialRecord) -> None:
        """Tell of an end."""
        self._each(lambda listener: listener.trial_ended(record), record.trial)

    def sweep_ended(self, state: SweepState) -> None:
        """Tell of the sweep's end."""
        self._each(lambda listener: listener.sweep_ended(state), None)

    def _each(self, call: Callable[[TrialListener], None], trial: str | None) -> None:
        for listener in self._listeners:
            try:
                call(listener)
            except Exception:
                log.exception("a listener failed: %s", type(listener).__name__, extra={"trial": trial})
