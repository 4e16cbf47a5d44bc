"""Runtime folders are held by the processes that work in them; those of processes that were killed are removed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tuningsweep_trainer.node.in_use import hold, remove_abandoned

PATTERN = "run-*/*"
HOLDER = """
import sys
from pathlib import Path
from tuningsweep_trainer.node.in_use import hold
hold(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_what_a_killed_process_held_is_removed_and_what_another_holds_is_not(tmp_path: Path) -> None:
    mine, shared, alone = (tmp_path / "run-1" / node for node in ("mine", "shared", "alone"))
    descriptors = [hold(folder, make=True) for folder in (mine, shared, alone)]
    (alone / "data").mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(shared)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        for descriptor in descriptors[1:]:
            os.close(descriptor)
        assert remove_abandoned(tmp_path, PATTERN) == [alone]
        assert mine.is_dir()
        assert shared.is_dir()
        other.kill()
    assert remove_abandoned(tmp_path, PATTERN) == [shared]
    os.close(descriptors[0])
    assert remove_abandoned(tmp_path, PATTERN) == [mine]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_gone_is_held_by_nobody_unless_it_is_to_be_made(tmp_path: Path) -> None:
    folder = tmp_path / "run-1" / "node"
    with pytest.raises(FileNotFoundError):
        hold(folder)
    os.close(hold(folder, make=True))
    assert (folder.stat().st_mode & 0o777) == 0o700


def test_another_sweep_may_take_its_folder_away_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    going, abandoned = (tmp_path / run / "node" for run in ("run-1", "run-2"))
    for folder in (going, abandoned):
        os.close(hold(folder, make=True))
    scan = os.scandir

    def goes_before_it_is_looked_into(path: Any = ".") -> Any:
        if str(path) == str(going.parent):
            shutil.rmtree(going.parent)
        return scan(path)

    monkeypatch.setattr(os, "scandir", goes_before_it_is_looked_into)
    assert remove_abandoned(tmp_path, PATTERN) == [abandoned]
    assert not going.exists()


def test_folders_without_a_lock_are_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "run-1" / "of an earlier release"
    other.mkdir(parents=True)
    assert remove_abandoned(tmp_path, PATTERN) == []
    assert other.is_dir()
