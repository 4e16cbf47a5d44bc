"""What a supervisor publishes while another trial has filled the shared memory."""

import os
import shutil
from pathlib import Path

import pytest

from support.full_disk import FullDisk
from tuningsweep_trainer.node.runtime import RuntimeFolder, TrialStatus
from tuningsweep_trainer.node.step_times import StepTimes
from tuningsweep_trainer.supervisor.status import Publisher

TIMES = StepTimes(seconds=1.0)


@pytest.fixture
def folder(tmp_path: Path) -> RuntimeFolder:
    runtime = RuntimeFolder(tmp_path / "node")
    runtime.make()
    return runtime


def status(steps: int) -> TrialStatus:
    return TrialStatus(trial="t-0", process="p", supervisor_pid=os.getpid(), steps=steps)


def test_an_outage_is_logged_once_and_what_was_published_before_stands_meanwhile(
    folder: RuntimeFolder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    disk, publisher = FullDisk(folder.path, monkeypatch), Publisher(folder, "t-0")
    publisher.put(status(1), TIMES)
    for outage in (1, 2):
        disk.fill()
        for _ in range(3):
            publisher.put(status(5), TIMES)
        assert folder.statuses() == [status(outage)]
        assert len(list((folder.path / "trials").iterdir())) == 1, "a part of what did not fit takes room"
        disk.room = float("inf")
        publisher.put(status(outage + 1), TIMES)
        assert folder.statuses() == [status(outage + 1)]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"] * 2
    assert "No space left" in caplog.text


def test_the_status_of_a_trial_that_ended_goes_though_there_is_no_room(
    folder: RuntimeFolder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    disk, publisher = FullDisk(folder.path, monkeypatch), Publisher(folder, "t-0")
    publisher.put(status(1))
    disk.room = 0
    publisher.end(TIMES)
    assert folder.statuses() == []
    assert "No space left" in caplog.text


def test_a_folder_that_the_driver_has_taken_with_it_is_no_trouble_at_the_end(
    folder: RuntimeFolder, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(folder.path)
    Publisher(folder, "t-0").end(TIMES)
    assert caplog.records == []
