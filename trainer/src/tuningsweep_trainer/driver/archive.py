"""Records of ended trials in memory, for the control API's pages: the book keeps a tally alone, and storage may be slow."""

import threading
from collections.abc import Iterable

from tuningsweep_api.messages import SweepState, TrialPage
from tuningsweep_api.trials import Metrics, ParameterValue, TrialRecord


class Archive:
    """A TrialListener that keeps records in the order of their end."""

    def __init__(self, records: Iterable[TrialRecord]) -> None:
        self._lock = threading.Lock()
        self._records = list(records)

    def page(self, after: int, limit: int) -> TrialPage:
        """At most `limit` records, without the first `after`."""
        with self._lock:
            return TrialPage(records=self._records[after : after + limit], total=len(self._records))

    def trial_started(self, name: str, parameters: dict[str, ParameterValue]) -> None:
        """Not kept."""

    def trial_reported(self, name: str, metrics: Metrics, step: int) -> None:
        """Not kept."""

    def trial_ended(self, record: TrialRecord) -> None:
        """Keep the record."""
        with self._lock:
            self._records.append(record)

    def sweep_ended(self, state: SweepState) -> None:
        """Nothing to do: pages are served until the driver leaves."""
