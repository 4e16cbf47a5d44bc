"""Which sweeps are run, in which order, and that results of other settings are never mixed in."""

from pathlib import Path

import pytest

from support.thesis import thesis_sweep, thesis_sweeps
from tuningsweep_trainer.reproduce.arms import Arm
from tuningsweep_trainer.reproduce.reproduction import plan, portable, prepared
from tuningsweep_trainer.reproduce.running import OtherSettingsError, run_in
from tuningsweep_trainer.reproduce.settings import Settings
from tuningsweep_trainer.reproduce.workloads import builtin_of, with_steps


def test_the_thesis_is_21_sweeps_of_16_trials_and_then_the_arms() -> None:
    planned = plan(thesis_sweeps(), runs=3, savings_runs=1)
    unlimited = [one for one in planned if one.arm is Arm.NONE]
    assert len(unlimited) * 16 == 336
    assert planned[: len(unlimited)] == unlimited
    assert len(planned) - len(unlimited) == 7 * 6 + 2
    assert len({one.folder(Path("r")) for one in planned}) == len(planned)


def test_arms_can_be_chosen() -> None:
    planned = plan(thesis_sweeps(), runs=1, savings_runs=1, wanted=[Arm.LIMITS])
    assert {one.arm for one in planned} == {Arm.NONE, Arm.LIMITS}


def test_every_run_has_a_seed_of_its_own(tmp_path: Path) -> None:
    assert [len(Settings(tmp_path, runs=runs).seeds) for runs in (1, 2, 3)] == [1, 2, 3]
    assert len(set(Settings(tmp_path).seeds)) == 3


def test_a_smoke_test_is_one_run_of_few_steps(tmp_path: Path) -> None:
    settings = Settings(tmp_path, quick=True, steps=5)
    (sweep,) = prepared([thesis_sweep("mnist-svm")], settings)
    assert settings.seeds == (1,)
    assert builtin_of(sweep).steps == 5


def test_results_of_other_settings_are_refused_and_finished_ones_left_alone(tmp_path: Path) -> None:
    sweep = thesis_sweep("diabetes-svm")
    (tmp_path / "sweep.json").write_text(sweep.model_dump_json(by_alias=True, exclude_none=True))
    (tmp_path / "result.json").write_text("{}")
    run_in(tmp_path, sweep)
    with pytest.raises(OtherSettingsError, match="other steps, data or limits"):
        run_in(tmp_path, with_steps(sweep, 5))


def test_what_is_noted_says_nothing_of_this_machines_folders(tmp_path: Path) -> None:
    home = Path("/home/someone")
    told = f"{tmp_path}/mnist-svm/none/1: no data in {home}/.cache/openml; see {tmp_path}/driver.log"
    assert portable(told, tmp_path, home) == "mnist-svm/none/1: no data in ~/.cache/openml; see driver.log"
    assert portable("results/thesis/a: no", Path("results/thesis"), home) == "a: no"
