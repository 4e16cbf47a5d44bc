"""The cluster's driver leaves results that it can't have alone, and says so."""

import json
from pathlib import Path

import pytest

from support.sweeps import sweep_manifest
from tuningsweep_api.outcomes import ConditionReason
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.driver import __main__ as entry
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


class Broken:
    """A store that can't be read, or not be written to."""

    def __init__(self, error: OSError, *, readable: bool = False) -> None:
        self.error, self.readable = error, readable

    def read(self, path: str) -> None:
        if not self.readable:
            raise self.error

    def write(self, path: str, content: bytes) -> None:
        raise self.error


@pytest.mark.parametrize(
    ("results", "error", "advice"),
    [
        (
            "s3://sweeps/team/digits-svm",
            OSError("AWS Error ACCESS_DENIED during HeadObject"),
            "storage.credentialsSecret",
        ),
        ("/results/digits-svm", PermissionError(13, "Permission denied"), "writable for user 65532"),
        ("/results/digits-svm", OSError(30, "Read-only file system"), "writable for user 65532"),
    ],
)
@pytest.mark.parametrize("readable", [False, True])
def test_storage_that_lets_nobody_in_is_said_at_once(
    monkeypatch: pytest.MonkeyPatch, results: str, error: OSError, advice: str, readable: bool
) -> None:
    monkeypatch.setattr(entry, "open_store", lambda location: Broken(error, readable=readable))
    refusal = options_for(sweep("a"), results, "token").refusal
    assert refusal is not None
    assert refusal.reason is ConditionReason.STORAGE_UNAVAILABLE
    assert refusal.message.startswith(f"the driver can't {'write to' if readable else 'read'} {results}: ")
    assert advice in refusal.message


def test_storage_that_does_not_answer_is_tried_again_by_the_next_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "open_store", lambda location: Broken(OSError("curlCode: 7, Couldn't connect")))
    with pytest.raises(OSError, match="Couldn't connect"):
        options_for(sweep("a"), "s3://sweeps/team/digits-svm", "token")
