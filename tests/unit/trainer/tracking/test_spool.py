"""The spool keeps every event until it is sent, in order, through crashes, and within its bound."""

import math
from pathlib import Path

from tuningsweep_trainer.results.store import LocalStore
from tuningsweep_trainer.tracking.events import TrackingEvent
from tuningsweep_trainer.tracking.spool import FOLDER, Spool


def reported(step: int) -> TrackingEvent:
    return TrackingEvent.now("reported", trial="trial-0001", metrics={"loss": 0.5}, step=step)


def ended(trial: str) -> TrackingEvent:
    return TrackingEvent.now("ended", trial=trial, tags={"outcome": "Succeeded"}, status="FINISHED")


def all_in(spool: Spool) -> list[TrackingEvent]:
    """Everything, taken out."""
    events: list[TrackingEvent] = []
    for name in spool.oldest(1 << 20):
        events += spool.read(name)
        spool.done(name)
    return events


def test_events_come_out_in_order_and_leave_nothing(tmp_path: Path) -> None:
    spool = Spool(LocalStore(tmp_path))
    for step in range(12):
        spool.put([reported(step)])
    assert [event.step for event in all_in(spool)] == list(range(12))
    assert spool.bytes == 0
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_what_is_not_done_is_there_after_a_crash_and_new_files_come_after_it(tmp_path: Path) -> None:
    before = Spool(LocalStore(tmp_path))
    before.put([reported(1)])
    before.put([reported(2)])
    after = Spool(LocalStore(tmp_path))
    assert after.bytes == before.bytes > 0
    after.put([reported(3)])
    assert [event.step for event in all_in(after)] == [1, 2, 3]


def test_as_many_files_go_out_together_as_fit_and_always_one(tmp_path: Path) -> None:
    spool = Spool(LocalStore(tmp_path))
    for step in range(3):
        spool.put([reported(step)])
    size = spool.bytes // 3
    assert [len(spool.oldest(bytes_)) for bytes_ in (0, size, 2 * size, 4 * size)] == [1, 1, 2, 3]


def test_torn_lines_are_left_out(tmp_path: Path) -> None:
    spool = Spool(LocalStore(tmp_path))
    spool.put([reported(1)])
    (file,) = (tmp_path / FOLDER).iterdir()
    with file.open("a") as written:
        written.write('{"kind": "repor')
    assert [event.step for event in all_in(spool)] == [1]


def test_metrics_that_are_no_numbers_survive(tmp_path: Path) -> None:
    spool = Spool(LocalStore(tmp_path))
    spool.put([TrackingEvent.now("reported", trial="t", metrics={"loss": float("nan"), "best": float("inf")})])
    (event,) = all_in(spool)
    assert math.isnan(event.metrics["loss"])
    assert math.isinf(event.metrics["best"])


def test_past_its_bound_it_keeps_outcomes_and_no_more_curves(tmp_path: Path) -> None:
    spool = Spool(LocalStore(tmp_path), most_bytes=2_000)
    for step in range(1_000):
        spool.put([reported(step)])
    full = spool.bytes
    assert full < 2_000 + 500
    for number in range(50):
        spool.put([reported(number), ended(f"trial-{number:04d}")])
    kept = all_in(spool)
    assert [event.trial for event in kept if event.kind == "ended"] == [f"trial-{number:04d}" for number in range(50)]
    assert sum(event.kind == "reported" for event in kept) < 30


def test_ten_thousand_trials_need_less_than_ten_mebibytes_beside_their_curves(tmp_path: Path) -> None:
    spool = Spool(LocalStore(tmp_path), most_bytes=0)
    for start in range(0, 10_000, 500):
        started = [
            TrackingEvent.now("started", trial=f"trial-{n:04d}", parameters={"batch_size": "300", "alpha": "0.001"})
            for n in range(start, start + 500)
        ]
        spool.put([*started, *(ended(event.trial) for event in started)])
    assert 0 < spool.bytes < 10 << 20
