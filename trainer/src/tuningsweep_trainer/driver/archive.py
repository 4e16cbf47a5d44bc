"""Records of ended trials for the control API's pages: the book keeps a tally alone, and storage may be slow.

They are kept as JSON, some 500 bytes each: a tenth of what the objects take.
"""

import threading
from collections.abc import Iterable

from tuningsweep_api.messages import SweepState, TrialPage
from tuningsweep_api.trials import Metrics, ParameterValue, TrialRecord


class Archive:
    """A TrialListener that keeps records in the order of their end."""

    def __init__(self, records: Iterable[TrialRecord]) -> None:
        self._lock = threading.Lock()
        self._records = [_packed(record) for record in records]

    def page(self, after: int, limit: int) -> TrialPage:
        """At most `limit` records, without the first `after`."""
        with self._lock:
            lines, total = self._records[after : after + limit], len(self._records)
        return TrialPage(records=[TrialRecord.model_validate_json(line) for line in lines], total=total)

    def trial_started(self, name: str, parameters: dict[str, ParameterValue]) -> None:
        """Not kept."""

    def trial_reported(self, name: str, metrics: Metrics, step: int) -> None:
        """Not kept."""

    def trial_ended(self, record: TrialRecord) -> None:
        """Keep the record."""
        with self._lock:
            self._records.append(_packed(record))

    def sweep_ended(self, state: SweepState) -> None:
        """Nothing to do: pages are served until the driver leaves."""


def _packed(record: TrialRecord) -> bytes:
    return record.model_dump_json(by_alias=True, exclude_defaults=True).encode()
