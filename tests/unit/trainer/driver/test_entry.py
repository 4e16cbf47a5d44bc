"""The cluster's driver leaves results of another sweep of its name alone, and says so."""

import json
from pathlib import Path

import pytest

from support.sweeps import sweep_manifest
from tuningsweep_api.outcomes import ConditionReason
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.driver.__main__ import foreign_results, options_for


def sweep(uid: str) -> TuningSweep:
    return TuningSweep.from_manifest(sweep_manifest(metadata__uid=uid))


def leave_results(folder: Path, uid: str) -> None:
    (folder / "sweep.json").write_text(json.dumps(sweep(uid).dump()))


def test_new_results_and_our_own_are_used(tmp_path: Path) -> None:
    assert foreign_results(sweep("a"), str(tmp_path)) is None
    leave_results(tmp_path, "a")
    assert foreign_results(sweep("a"), str(tmp_path)) is None
    assert options_for(sweep("a"), str(tmp_path), "token").results == str(tmp_path)


@pytest.mark.parametrize("content", [json.dumps(sweep("b").dump()), "{", "[]", "{}"])
def test_those_of_another_sweep_are_not_touched(tmp_path: Path, content: str) -> None:
    (tmp_path / "sweep.json").write_text(content)
    options = options_for(sweep("a"), str(tmp_path), "token")
    assert options.refusal is not None
    assert options.refusal.reason is ConditionReason.RESULTS_TAKEN
    assert "another name" in options.refusal.message
    assert options.results != str(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["sweep.json"]
