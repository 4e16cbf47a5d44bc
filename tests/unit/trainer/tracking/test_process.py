"""The process that sends: events reach it, its log and progress come back, and it is started again when it dies."""

import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tuningsweep_trainer.results.store import LocalStore
from tuningsweep_trainer.tracking import process, sender
from tuningsweep_trainer.tracking.events import TrackingEvent
from tuningsweep_trainer.tracking.process import SenderProcess
from tuningsweep_trainer.tracking.spool import FOLDER, Spool

OBEDIENT = """
import json, os, pathlib, sys
folder = pathlib.Path(json.loads(sys.stdin.readline())["results"], "tracking/unsent")
for _ in sys.stdin:
    pass
print(json.dumps({"logger": "tuningsweep_trainer.x", "level": 30, "message": "100 % told", "trial": "trial-0000"}))
for file in sorted(folder.iterdir()):
    file.unlink()
    print(json.dumps({"sent": file.name}))
"""
DYING = "import sys; sys.stdin.readline(); sys.exit(1)"
LOADING = """
import json, pathlib, sys, time
folder = pathlib.Path(json.loads(sys.stdin.readline())["results"], "tracking/unsent")
time.sleep(1)
print('{"long": false}', flush=True)
print('{"long": true}', flush=True)
time.sleep(1)
for file in sorted(folder.iterdir()):
    file.unlink()
    print(json.dumps({"sent": file.name}), flush=True)
"""
HANGING = """
import sys, time
sys.stdin.readline()
print('{"long": false}', flush=True)
time.sleep(60)
"""


@pytest.fixture
def leave_now() -> threading.Event:
    return threading.Event()


@pytest.fixture
def started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leave_now: threading.Event
) -> Callable[[str], tuple[SenderProcess, Spool]]:
    """Starts a delivery whose process runs other code than MLflow's."""

    def start(code: str) -> tuple[SenderProcess, Spool]:
        monkeypatch.setattr(process, "COMMAND", (sys.executable, "-c", code))
        monkeypatch.setattr(sender, "FIRST_WAIT", 0.0)
        spool = Spool(LocalStore(tmp_path))
        spool.put([TrackingEvent.now("started", trial="trial-0000")])
        delivery = SenderProcess(str(tmp_path), spool, leave_now)
        delivery.start()
        delivery.wake()
        return delivery, spool

    return start


def test_what_it_sends_leaves_the_spool_and_what_it_logs_is_logged(
    started: Callable[[str], tuple[SenderProcess, Spool]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    delivery, spool = started(OBEDIENT)
    delivery.finish()
    assert spool.files == 0
    assert list((tmp_path / FOLDER).iterdir()) == []
    (line,) = [entry for entry in caplog.records if entry.name == "tuningsweep_trainer.x"]
    assert (line.getMessage(), line.levelno, line.trial) == ("100 % told", logging.WARNING, "trial-0000")  # type: ignore[attr-defined]


def test_one_that_dies_is_started_again_a_few_times_and_the_events_are_kept(
    started: Callable[[str], tuple[SenderProcess, Spool]], caplog: pytest.LogCaptureFixture
) -> None:
    delivery, spool = started(DYING)
    delivery.join()
    delivery.wake()  # to nobody
    delivery.finish()
    assert spool.files == 1
    assert sum("ended early" in message for message in caplog.messages) == process.STARTS


def test_one_that_loads_or_says_that_something_takes_its_time_is_waited_for(
    started: Callable[[str], tuple[SenderProcess, Spool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "END_SECONDS", 0.2)
    delivery, spool = started(LOADING)
    delivery.finish()
    assert spool.files == 0


def test_one_that_hangs_holds_up_the_end_only_so_long(
    started: Callable[[str], tuple[SenderProcess, Spool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "END_SECONDS", 0.2)
    delivery, spool = started(HANGING)
    delivery.finish()
    delivery.join(30)
    assert not delivery.is_alive()
    assert spool.files == 1


def test_who_does_not_want_to_wait_leaves_at_once(
    started: Callable[[str], tuple[SenderProcess, Spool]], leave_now: threading.Event
) -> None:
    delivery, spool = started(HANGING)
    leave_now.set()
    delivery.finish()
    delivery.join()
    assert spool.files == 1
