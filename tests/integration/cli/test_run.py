"""`tuningsweep run` as a person calls it: a real embedded Ray, exit codes, records, a second call."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.sweeps import function_sweep
from support.patience import PATIENCE

SUPPORT = Path(__file__).parents[2] / "support"


def command(folder: Path, manifest: dict[str, Any], *options: str) -> list[str]:
    """The command for a manifest in a folder of its own, with the test trainables beside it."""
    (folder / "trainables.py").write_text((SUPPORT / "trainables.py").read_text())
    (folder / "sweep.yaml").write_text(yaml.safe_dump(manifest))
    return [str(Path(sys.executable).with_name("tuningsweep")), "run", "sweep.yaml", *options]


def run(folder: Path, manifest: dict[str, Any], *options: str) -> subprocess.CompletedProcess[str]:
    """Call the command and wait for its end."""
    return subprocess.run(
        command(folder, manifest, *options), cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def hang_and_quick(name: str, step_time: str) -> dict[str, Any]:
    """A sweep of a trial that is quick and one that hangs."""
    behaviours = {"name": "behaviour", "parameterType": "categorical", "feasibleSpace": {"list": ["quick", "hangs"]}}
    return function_sweep(
        name,
        "hostile",
        spec__parameters=[behaviours],
        spec__maxTrialCount=2,
        spec__limits={"stepTime": step_time},
    )


def records(folder: Path, sweep: str) -> dict[str, dict[str, Any]]:
    lines = (folder / "results" / sweep / "trials.jsonl").read_text().splitlines()
    return {record["trial"]: record for record in map(json.loads, lines)}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], subprocess.CompletedProcess[str]]:
    """A sweep with one trial that hangs and one that is quick."""
    folder = tmp_path_factory.mktemp("cli")
    manifest = hang_and_quick("mixed", "10s")
    manifest["spec"]["tracking"]["enabled"] = True
    return folder, manifest, run(folder, manifest)


def test_complete_sweep_exits_with_zero_and_says_what_was_stopped(
    finished: tuple[Path, dict[str, Any], subprocess.CompletedProcess[str]],
) -> None:
    folder, _, done = finished
    assert done.returncode == 0, done.stdout + done.stderr
    ended = records(folder, "mixed")
    assert {r["parameters"]["behaviour"]: r["outcome"] for r in ended.values()} == {
        "hangs": "LimitExceeded",
        "quick": "Succeeded",
    }
    assert "1 of 2 trials were stopped at a limit" in done.stdout
    assert "is over limits.stepTime 10.00s" in done.stdout
    assert "Complete (SearchFinished)" in done.stdout
    assert "mlflow" not in (done.stdout + done.stderr).lower(), "MLflow's own chatter"
    assert (folder / "results" / "mixed" / "mlflow.db").is_file()


def look(folder: Path, *arguments: str) -> str:
    """Standard output of another command in the folder of the run."""
    program = str(Path(sys.executable).with_name("tuningsweep"))
    done = subprocess.run(
        [program, *arguments], cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_other_commands_read_the_run_by_its_name(
    finished: tuple[Path, dict[str, Any], subprocess.CompletedProcess[str]],
) -> None:
    folder, _, _ = finished
    stopped = json.loads(look(folder, "trials", "mixed", "--where", "outcome=LimitExceeded", "-o", "json"))
    assert [record["reason"] for record in stopped] == ["StepTimeLimitExceeded"]
    assert look(folder, "best", "mixed", "-o", "args") == "--behaviour=quick\n"
    why = look(folder, "why", "mixed", stopped[0]["trial"])
    assert "LimitExceeded (StepTimeLimitExceeded)" in why
    assert "10.00s" in why
    assert f"{stopped[0]['trial']}: step-time before its end" in why, "the supervisor's trace is plotted"
    assert "Complete: SearchFinished" in look(folder, "watch", "mixed")
    (listed,) = json.loads(look(folder, "list", "--results", "results", "-o", "json"))
    assert (listed["name"], listed["phase"], listed["over_limit"]) == ("mixed", "Complete", 1)


def test_results_of_a_finished_run_are_not_overwritten(
    finished: tuple[Path, dict[str, Any], subprocess.CompletedProcess[str]],
) -> None:
    folder, manifest, _ = finished
    again = run(folder, manifest)
    assert again.returncode == 2
    assert "--fresh" in again.stderr


def test_a_sweep_without_success_exits_with_one_and_names_the_cause(tmp_path: Path) -> None:
    done = run(tmp_path, function_sweep("broken", "nothing_of_that_name", spec__maxTrialCount=2))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "TrainableUnavailable" in done.stdout
    assert "nothing_of_that_name" in done.stdout


def test_ctrl_c_exits_with_130_and_the_same_command_goes_on_to_the_deadline_even_if_nobody_reads(
    tmp_path: Path,
) -> None:
    waiting = hang_and_quick("broken-off", "1h")
    # A terminal sends SIGINT to the whole process group, to Ray's processes as well.
    with subprocess.Popen(
        command(tmp_path, waiting), cwd=tmp_path, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        read_until(process, lambda seen: "Succeeded" in seen and seen.count("started") >= 2)
        os.killpg(process.pid, signal.SIGINT)
        left, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, left
    assert "the same command goes on" in left
    before = records(tmp_path, "broken-off")
    assert [record["outcome"] for record in before.values()] == ["Succeeded"]

    waiting["spec"]["activeDeadlineSeconds"] = 6
    with subprocess.Popen(command(tmp_path, waiting), cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        read_until(process, lambda seen: "going on with the unfinished run" in seen)
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(timeout=PATIENCE) == 1
    after = records(tmp_path, "broken-off")
    assert {name: after[name] for name in before} == before
    assert sorted(record["outcome"] for record in after.values()) == ["Stopped", "Succeeded"]
    state = json.loads((tmp_path / "results" / "broken-off" / "result.json").read_text())
    assert state["result"]["reason"] == "DeadlineExceeded"


def read_until(process: "subprocess.Popen[str]", enough: Callable[[str], bool]) -> None:
    """Read what a command prints until it has said enough."""
    assert process.stdout is not None
    seen = ""
    while not enough(seen):
        line = process.stdout.readline()
        assert line, seen
        seen += line
