"""Pages of ended trials: complete, in order, and small in memory."""

import tracemalloc

from support.trials import RECORDS, record
from tuningsweep_trainer.driver.archive import Archive


def test_pages_have_earlier_and_new_records_as_they_were() -> None:
    archive = Archive(RECORDS[:2])
    archive.trial_ended(RECORDS[2])
    assert archive.page(0, 10).records == RECORDS
    page = archive.page(1, 1)
    assert (page.records, page.total) == ([RECORDS[1]], 3)
    assert archive.page(3, 10).records == []


def test_a_trial_takes_less_than_a_kibibyte() -> None:
    metrics = {f"metric_{number}": 0.125 * number for number in range(10)}
    archive = Archive([])
    tracemalloc.start()
    for number in range(1_000):
        archive.trial_ended(record(f"trial-{number:04d}", metrics=metrics, message="memory 500.0Mi is over 400.0Mi"))
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used / 1_000 < 1_024
