"""What `tuningsweep reproduce` is asked for by name."""

from pathlib import Path

import pytest

from support.thesis import MANIFESTS
from tuningsweep_cli.exits import CommandError
from tuningsweep_cli.reproducing import chosen_arms, load_workloads, reproduce_thesis
from tuningsweep_cli.workspace import WorkspaceError, alone_in
from tuningsweep_trainer.reproduce.arms import Arm
from tuningsweep_trainer.reproduce.settings import Settings


def test_no_name_means_all() -> None:
    assert Settings(Path("r"), chosen_arms=chosen_arms("")).arms == tuple(Arm)
    assert Settings(Path("r"), chosen_arms=chosen_arms(""), quick=True).arms == (Arm.BOTH,)
    assert len(load_workloads(MANIFESTS, "")) == 7


def test_names_are_taken_in_their_order() -> None:
    assert chosen_arms("asha+limits, limits") == (Arm.BOTH, Arm.LIMITS)
    chosen = load_workloads(MANIFESTS, "mnist-svm,diabetes-svm")
    assert [sweep.metadata.name for sweep in chosen] == ["mnist-svm", "diabetes-svm"]


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(CommandError, match="--arms: there is no magic; write some of none, limits"):
        chosen_arms("magic")
    with pytest.raises(CommandError, match="--workloads: there is no cifar; write some of diabetes"):
        load_workloads(MANIFESTS, "cifar")


def test_one_at_a_time_works_in_a_folder(tmp_path: Path) -> None:
    with alone_in(tmp_path), pytest.raises(WorkspaceError, match="is in use by another run; wait for it, or choose"):
        reproduce_thesis(Settings(tmp_path), MANIFESTS, "diabetes-svm", pages_only=False)
    assert [path.name for path in tmp_path.iterdir()] == [".lock"], "nothing was run"
