"""The supervisor as Tune calls it, without Ray: pauses, clones and actor ends keep the right checkpoint."""

import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ray.train._internal.session import _TrainingResult
from ray.tune import Checkpoint

from integration.engine.conftest import PYTHON_PATH, sweep_of
from support.full_disk import FullDisk
from support.patience import eventually
from tuningsweep_api.messages import desired_state
from tuningsweep_trainer.driver.context import SweepContext
from tuningsweep_trainer.driver.trial_failures import RetriedTrial
from tuningsweep_trainer.node.access import NodeAccess
from tuningsweep_trainer.node.runtime import Orders, RuntimeFolder
from tuningsweep_trainer.results.checkpoints import CheckpointStore
from tuningsweep_trainer.supervisor import admission
from tuningsweep_trainer.supervisor import supervisor as module
from tuningsweep_trainer.supervisor.measuring import PEAK_MEMORY
from tuningsweep_trainer.supervisor.result import RESULT_KEY, TrialResult
from tuningsweep_trainer.supervisor.supervisor import Supervisor
from tuningsweep_trainer.training.session import REPORTS_AHEAD

MEBIBYTE = 1 << 20


@pytest.fixture
def edits() -> dict[str, Any]:
    """What a test has in its sweep beside the trainable."""
    return {}


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edits: dict[str, Any]) -> SweepContext:
    sweep = sweep_of({"trainable.function": "functions_of_engine:waits", **edits})
    runtime = RuntimeFolder(tmp_path / "node")
    runtime.make()
    runtime.write_orders(Orders(revision=1, desired=desired_state(sweep)))
    monkeypatch.setattr(module, "find_node", lambda _: NodeAccess(runtime, None))
    monkeypatch.setattr(admission, "admission_folder", lambda: tmp_path / "admission")
    return SweepContext(run_id="test", sweep=sweep, results=str(tmp_path / "results"), python_path=PYTHON_PATH)


def config(trial: str, steps: int = 6000) -> dict[str, Any]:
    return {"trial": trial, "parameters": {"steps": steps}}


def started(context: SweepContext, trial: str = "trial-0000") -> Supervisor:
    made = Supervisor.__new__(Supervisor)  # its Tune half needs an actor; what is tested is ours
    made.setup(config(trial), context_json=context.model_dump_json(by_alias=True))
    return made


@pytest.fixture
def supervisor(context: SweepContext) -> Iterator[Supervisor]:
    made = started(context)
    yield made
    made.cleanup()


def steps(supervisor: Supervisor, count: int) -> list[dict[str, Any]]:
    return [supervisor.step() for _ in range(count)]


def saved_by(supervisor: Supervisor, folder: Path) -> str:
    """The folder of the checkpoint that Tune asks for when it pauses a trial or clones it."""
    saved = folder / "saved"
    saved.mkdir()
    return supervisor.save_checkpoint(str(saved))


def newest(context: SweepContext, trial: str) -> int:
    latest = CheckpointStore(context.results, trial).latest()
    return -1 if latest is None else latest.step


def test_a_paused_trial_goes_on_from_the_last_report_tune_has_seen(
    supervisor: Supervisor, context: SweepContext, tmp_path: Path
) -> None:
    assert [result["step"] for result in steps(supervisor, 3)] == [1, 2, 3]
    saved = saved_by(supervisor, tmp_path)
    supervisor.reset_config(config("trial-0001"))
    assert newest(context, "trial-0000") == 3
    assert supervisor.step()["step"] == 1
    supervisor.reset_config(config("trial-0000"))
    supervisor.load_checkpoint(saved)
    resumed = supervisor.step()
    assert (resumed["step"], resumed["went_on_from"], resumed["done"]) == (4, 3, False)


def test_what_a_paused_trial_has_done_on_another_actor_is_kept(
    supervisor: Supervisor, context: SweepContext, tmp_path: Path
) -> None:
    said = TrialResult.model_validate_json(steps(supervisor, 3)[-1][RESULT_KEY])
    ahead = 4 + REPORTS_AHEAD
    eventually(lambda: newest(context, "trial-0000") == ahead, "it is further than Tune has seen", every=0.02)
    assert said.checkpoint == CheckpointStore(context.results, "trial-0000").next_number() - 1 - (ahead - 3)
    released = Orders(revision=2, desired=desired_state(context.sweep), released=[said.process])
    RuntimeFolder(tmp_path / "node").write_orders(released)
    eventually(lambda: newest(context, "trial-0000") == 3, "it is where the scheduler decided", every=0.02)
    other = started(context)
    assert [result["step"] for result in steps(other, 4)] == [4, 5, 6, 7]
    supervisor.reset_config(config("trial-0001"))
    assert newest(context, "trial-0000") >= 7
    other.cleanup()


BY_LINES = """
import json, os, tempfile
known = os.environ["TUNINGSWEEP_CHECKPOINT"]
done = int(open(os.path.join(known, "done")).read()) if known else 0
for step in range(done + 1, 6001):
    folder = tempfile.mkdtemp()
    open(os.path.join(folder, "done"), "w").write(str(step))
    line = {"loss": 1 / step, "step": step, "went_on_from": done, "checkpoint": folder}
    print(json.dumps(line), flush=True)
"""
BY_REPORT = """
import os, pathlib, tempfile
import tuningsweep
known = os.environ["TUNINGSWEEP_CHECKPOINT"]
done = int((pathlib.Path(known) / "done").read_text()) if known else 0
for step in tuningsweep.step(range(done + 1, 6001)):
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "done").write_text(str(step))
        tuningsweep.report({"loss": 1 / step, "went_on_from": done}, checkpoint=folder)
"""


def command(program: str) -> dict[str, Any]:
    return {"trainable": {"command": [sys.executable, "-c", program]}}


@pytest.mark.parametrize("edits", [command(BY_LINES), command(BY_REPORT)], ids=["lines", "report"])
def test_a_command_goes_on_from_what_it_saved(supervisor: Supervisor, context: SweepContext, tmp_path: Path) -> None:
    assert [result["step"] for result in steps(supervisor, 3)] == [1, 2, 3]
    saved = saved_by(supervisor, tmp_path)
    (temporary,) = supervisor._temporary
    supervisor.reset_config(config("trial-0001"))
    assert not temporary.exists()
    assert newest(context, "trial-0000") == 3
    supervisor.reset_config(config("trial-0000"))
    supervisor.load_checkpoint(saved)
    resumed = steps(supervisor, 3)
    assert [(result["step"], result["went_on_from"]) for result in resumed] == [(4, 3), (5, 3), (6, 3)]
    assert newest(context, "trial-0000") >= 6


def test_a_clone_goes_on_from_the_other_trials_checkpoint(
    supervisor: Supervisor, context: SweepContext, tmp_path: Path
) -> None:
    steps(supervisor, 5)
    saved = saved_by(supervisor, tmp_path)
    supervisor.reset_config(config("trial-0001"))
    steps(supervisor, 2)
    supervisor.reset_config(config("trial-0001"))
    supervisor.load_checkpoint(saved)
    cloned = supervisor.step()
    assert (cloned["step"], cloned["went_on_from"]) == (6, 5)


def start_as_tune_does(supervisor: Supervisor, trial: RetriedTrial) -> None:
    """With the checkpoint that Tune has of the trial, if any."""
    known = trial.latest_checkpoint_result
    if known is not None:
        trial.temporary_state.restoring_from = known
        supervisor.load_checkpoint(known.checkpoint.path)
        trial.on_restore()


def test_a_clone_whose_actor_dies_goes_on_from_what_it_did_itself(
    supervisor: Supervisor, context: SweepContext, tmp_path: Path
) -> None:
    steps(supervisor, 3)
    saved = saved_by(supervisor, tmp_path)
    trial = RetriedTrial("none", stub=True)
    cloned = _TrainingResult(Checkpoint(saved), {"step": 3})
    trial.run_metadata.checkpoint_manager._latest_checkpoint_result = cloned  # as PBT gives it
    for reached in (3, 7):
        actor = started(context, "trial-0001")
        start_as_tune_does(actor, trial)
        results = steps(actor, 4)
        actor.cleanup()
        assert results[0]["went_on_from"] >= reached


def test_an_actor_that_ends_leaves_its_newest_checkpoint(supervisor: Supervisor, context: SweepContext) -> None:
    (last,) = steps(supervisor, 1)
    supervisor.cleanup()
    assert newest(context, "trial-0000") >= last["step"]


SMALL = {"type": "minimize", "objectiveMetricName": PEAK_MEMORY}


@pytest.mark.parametrize(
    "edits", [{}, {"objective.objectiveMetricName": PEAK_MEMORY}, {"objective.additionalObjectives": [SMALL]}]
)
def test_a_trial_resumed_at_its_end_has_succeeded_with_what_it_reported(
    supervisor: Supervisor, context: SweepContext
) -> None:
    supervisor.reset_config(config("trial-0002", steps=3))
    assert [result["done"] for result in steps(supervisor, 4)] == [False, False, False, True]
    supervisor.reset_config(config("trial-0002", steps=3))
    last = supervisor.step()
    said = TrialResult.model_validate_json(last[RESULT_KEY])
    assert (last["done"], said.outcome, said.metrics["loss"]) == (True, "Succeeded", 0.0)
    assert (said.steps, last["step"]) == (3, 3)
    assert said.metrics[PEAK_MEMORY] > MEBIBYTE
    assert context.sweep.spec.objective.objective_metric_name in last


@pytest.mark.parametrize("edits", [{"objective.objectiveMetricName": PEAK_MEMORY}])
def test_a_trial_that_never_reports_has_failed_though_its_objective_is_measured(supervisor: Supervisor) -> None:
    supervisor.reset_config(config("trial-0000", steps=0))
    said = TrialResult.model_validate_json(supervisor.step()[RESULT_KEY])
    assert (said.outcome, said.reason) == ("Failed", "MetricMissing")


def test_a_trial_that_is_to_stop_gets_no_process(supervisor: Supervisor, context: SweepContext, tmp_path: Path) -> None:
    wanted = desired_state(context.sweep).model_copy(update={"stop_trials": ["trial-0000"]})
    RuntimeFolder(tmp_path / "node").write_orders(Orders(revision=2, desired=wanted))
    last = supervisor.step()
    said = TrialResult.model_validate_json(last[RESULT_KEY])
    assert (last["done"], said.outcome, said.reason, said.process) == (True, "Stopped", "StopRequested", "")
    assert "loss" not in last


def test_a_trial_that_is_stopped_leaves_no_half_of_a_checkpoint(
    supervisor: Supervisor, context: SweepContext, tmp_path: Path
) -> None:
    steps(supervisor, 1)
    store, folder = CheckpointStore(context.results, "trial-0000"), Path(context.results) / "checkpoints" / "trial-0000"
    halves = [folder / f".{store.next_number() + ahead:06d}.1a2b3c4d" for ahead in range(100)]
    for half in halves:
        half.mkdir()
    wanted = desired_state(context.sweep).model_copy(update={"stop_trials": ["trial-0000"]})
    RuntimeFolder(tmp_path / "node").write_orders(Orders(revision=2, desired=wanted))
    while not supervisor.step()["done"]:
        pass
    assert not (folder / f".{store.next_number():06d}.1a2b3c4d").exists()


@pytest.mark.parametrize("edits", [{"parallelTrialCount": "Auto"}])
def test_a_pruned_trial_leaves_its_memory_to_others_though_tune_never_calls_its_actor_again(
    supervisor: Supervisor, context: SweepContext, tmp_path: Path
) -> None:
    said = TrialResult.model_validate_json(supervisor.step()[RESULT_KEY])
    (entry,) = (tmp_path / "admission").glob("*.json")
    assert json.loads(entry.read_text())["admitted"]
    released = Orders(revision=2, desired=desired_state(context.sweep), released=[said.process])
    RuntimeFolder(tmp_path / "node").write_orders(released)
    eventually(lambda: not entry.exists(), "its memory is free for others", every=0.02)


@pytest.mark.parametrize("edits", [{"parallelTrialCount": "Auto"}])
def test_a_trial_waits_until_it_can_be_told_to_others(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(tmp_path / "admission", monkeypatch)
    disk.room = 0
    first = threading.Thread(target=supervisor.step)
    first.start()
    eventually(lambda: disk.refused > 1 or not first.is_alive(), "it asks again", every=0.02)
    assert first.is_alive()
    disk.room = float("inf")
    first.join()
    assert supervisor._process
