"""The results folder: resumed when unfinished, never overwritten."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from support.sweeps import BASE, edited
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_cli.workspace import WorkspaceError, close_workspace, workspace

SWEEP = TuningSweep.from_manifest(BASE)


def opened(sweep: TuningSweep, folder: Path, *, fresh: bool = False, now: datetime | None = None) -> tuple[str, bool]:
    """The uid of the sweep in the folder, and whether an unfinished run goes on."""
    with workspace(sweep, folder, fresh=fresh, now=now) as (named, resumes):
        return named.metadata.uid, resumes


def test_a_new_folder_gets_the_resolved_sweep_with_a_uid_of_its_own(tmp_path: Path) -> None:
    uid, resumes = opened(SWEEP, tmp_path / "new")
    written = json.loads((tmp_path / "new" / "sweep.json").read_text())
    assert not resumes
    assert written["metadata"]["uid"] == uid
    assert written["spec"]["limits"]["warmupSteps"] == 10
    assert opened(SWEEP, tmp_path / "other")[0] != uid


def test_an_unfinished_run_goes_on_under_its_uid_also_with_other_limits(tmp_path: Path) -> None:
    uid, _ = opened(SWEEP, tmp_path)
    tightened = TuningSweep.from_manifest(edited(BASE, {"spec.limits.memory": "300Mi", "spec.maxTrialCount": 9}))
    assert opened(tightened, tmp_path) == (uid, True)


def test_another_search_space_is_refused_by_name(tmp_path: Path) -> None:
    opened(SWEEP, tmp_path)
    other = TuningSweep.from_manifest(edited(BASE, {"spec.parameters.0.feasibleSpace.list": ["7"]}))
    with pytest.raises(WorkspaceError, match=r"another spec\.parameters; add --fresh"):
        opened(other, tmp_path)


def test_a_finished_run_is_kept_until_fresh_moves_it_aside(tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    uid, _ = opened(SWEEP, folder)
    close_workspace(folder, "{}")
    with pytest.raises(WorkspaceError, match="finished run; add --fresh"):
        opened(SWEEP, folder)
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    again, resumes = opened(SWEEP, folder, fresh=True, now=now)
    assert (again == uid, resumes) == (False, False)
    assert (tmp_path / "sweep.20260102T030405Z" / "result.json").is_file()


def test_two_runs_never_share_a_folder(tmp_path: Path) -> None:
    with workspace(SWEEP, tmp_path, fresh=False):
        for fresh in (False, True):
            with pytest.raises(WorkspaceError, match="in use by another run"):
                opened(SWEEP, tmp_path, fresh=fresh)
    assert opened(SWEEP, tmp_path)[1]


@pytest.mark.parametrize("content", ["{", "[]", "{}"])
def test_an_unreadable_earlier_run_is_left_alone(tmp_path: Path, content: str) -> None:
    (tmp_path / "sweep.json").write_text(content)
    with pytest.raises(WorkspaceError, match=r"can't be read; add --fresh"):
        opened(SWEEP, tmp_path)
    assert (tmp_path / "sweep.json").read_text() == content


def test_a_file_in_the_folders_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError, match="choose another folder with --results"):
        opened(SWEEP, tmp_path / "file")
