"""The results folder: resumed when unfinished, never overwritten."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from support.sweeps import BASE, edited
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.cli.workspace import WorkspaceError, close_workspace, open_workspace

SWEEP = TuningSweep.from_manifest(BASE)


def test_a_new_folder_gets_the_resolved_sweep(tmp_path: Path) -> None:
    assert open_workspace(SWEEP, tmp_path / "new", fresh=False) is False
    assert '"warmupSteps": 10' in (tmp_path / "new" / "sweep.json").read_text()


def test_an_unfinished_run_goes_on_also_with_other_limits(tmp_path: Path) -> None:
    open_workspace(SWEEP, tmp_path, fresh=False)
    tightened = TuningSweep.from_manifest(edited(BASE, {"spec.limits.memory": "300Mi", "spec.maxTrialCount": 9}))
    assert open_workspace(tightened, tmp_path, fresh=False) is True


def test_another_search_space_is_refused_by_name(tmp_path: Path) -> None:
    open_workspace(SWEEP, tmp_path, fresh=False)
    other = TuningSweep.from_manifest(edited(BASE, {"spec.parameters.0.feasibleSpace.list": ["7"]}))
    with pytest.raises(WorkspaceError, match=r"another spec\.parameters; add --fresh"):
        open_workspace(other, tmp_path, fresh=False)


def test_a_finished_run_is_kept_until_fresh_moves_it_aside(tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    open_workspace(SWEEP, folder, fresh=False)
    close_workspace(folder, "{}")
    with pytest.raises(WorkspaceError, match="finished run; add --fresh"):
        open_workspace(SWEEP, folder, fresh=False)
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert open_workspace(SWEEP, folder, fresh=True, now=now) is False
    assert (tmp_path / "sweep.20260102T030405Z" / "result.json").is_file()
