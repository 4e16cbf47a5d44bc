"""`tuningsweep track`: what it answers, without a server."""

import json
from pathlib import Path

import pytest

from support.sweeps import BASE, edited
from tuningsweep_cli.exits import CommandError, Exit
from tuningsweep_cli.tracking import send_unsent
from tuningsweep_trainer.results.store import LocalStore
from tuningsweep_trainer.tracking import sender
from tuningsweep_trainer.tracking.events import TrackingEvent
from tuningsweep_trainer.tracking.setup import SWEEP_FILE
from tuningsweep_trainer.tracking.spool import Spool


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Results of a sweep that was tracked at a server where nobody listens."""
    sweep = edited(BASE, {"spec.tracking": {"mlflow": {"trackingUri": "http://127.0.0.1:9"}}})
    LocalStore(tmp_path).write(SWEEP_FILE, json.dumps(sweep).encode())
    return tmp_path


def test_a_folder_without_a_tracked_sweep_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="of a sweep that was tracked") as raised:
        send_unsent(str(tmp_path), print)
    assert raised.value.code is Exit.NOT_FOUND


def test_nothing_to_send_is_well(results: Path) -> None:
    said: list[str] = []
    assert send_unsent(str(results), said.append) is Exit.COMPLETE
    assert said == ["nothing was left to send"]


def test_what_can_not_be_sent_is_kept_and_told(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "FIRST_WAIT", 0.0)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    Spool(LocalStore(results)).put([TrackingEvent.now("reported", trial="trial-0000")])
    said: list[str] = []
    assert send_unsent(f"file://{results}/", said.append) is Exit.FAILED
    assert said == ["1 files of events are still unsent and are kept; try again when the server answers"]
    assert Spool(LocalStore(results)).files == 1
