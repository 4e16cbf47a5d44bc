"""A program run as `trainable.command`: its steps take what they take, however long Tune lets its reports wait."""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from support.patience import PATIENCE, eventually
from tuningsweep_api.spec.trainable import Trainable
from tuningsweep_trainer.results.checkpoints import Checkpoint, CheckpointStore
from tuningsweep_trainer.training import command as module
from tuningsweep_trainer.training import output
from tuningsweep_trainer.training.clock import StepClock
from tuningsweep_trainer.training.command import CommandFailedError, run_command
from tuningsweep_trainer.training.job import TrainingJob
from tuningsweep_trainer.training.session import TrialSession
from tuningsweep_trainer.training.wire import Message, MessageReader

HELD_SECONDS = 3.0
HELD_REPORT = 3
Running = Callable[[str], Future[None]]


class Supervisor(threading.Thread):
    """Takes reports, one of them late."""

    def __init__(self, reports: int, acknowledgements: int, ended: threading.Event) -> None:
        super().__init__(daemon=True)
        self.taken: list[Message] = []
        self._reader, self._acknowledgements, self._ended = MessageReader(reports), acknowledgements, ended

    def run(self) -> None:
        while not self._ended.wait(0.001):
            for message in self._reader.read():
                self.taken.append(message)
                if len(self.taken) == HELD_REPORT:
                    time.sleep(HELD_SECONDS)
                os.write(self._acknowledgements, b".")


class Trial:
    """A training process's session, with a supervisor."""

    def __init__(self, folder: Path, ended: threading.Event) -> None:
        reports_read, reports_write = os.pipe()
        acknowledgements_read, acknowledgements_write = os.pipe()
        os.set_blocking(reports_read, False)
        clock = StepClock.create()
        self.clock = StepClock(clock)
        self.scratch = folder / "scratch"
        self.scratch.mkdir()
        self._job = TrainingJob(
            trial="trial-0000",
            parameters={},
            trainable=Trainable(command=["program"]),
            objective="loss",
            scratch=str(self.scratch),
            checkpoint_root=str(folder),
        )
        self.checkpoints = CheckpointStore(str(folder), "trial-0000")
        self._session = TrialSession(self._job, reports_write, acknowledgements_read, StepClock(clock))
        self.supervisor = Supervisor(reports_read, acknowledgements_write, ended)
        self.supervisor.start()

    def run(self, program: str) -> None:
        trainable = Trainable(command=[sys.executable, "-c", program])
        run_command(self._job.model_copy(update={"trainable": trainable}), self._session)

    def steps(self, reports: int) -> list[int]:
        """Of so many reports; the supervisor may be a little behind."""
        deadline = time.monotonic() + PATIENCE
        while len(self.supervisor.taken) < reports and time.monotonic() < deadline:
            time.sleep(0.01)
        return [message["step"] for message in self.supervisor.taken]


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    ended = threading.Event()
    made = Trial(tmp_path, ended)
    yield made
    ended.set()
    made.supervisor.join()


STEADY = """
import json, sys, time
last, longest = time.monotonic(), 0.0
for step in range(1, 21):
    time.sleep(0.02)
    print(json.dumps({"loss": 1.0, "step": step}), flush=True)
    now = time.monotonic()
    last, longest = now, max(longest, now - last)
open(%r, "w").write(str(longest))
"""


@pytest.mark.parametrize("waiting", [256, 2])
def test_waiting_for_tune_is_no_step_time(
    trial: Trial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waiting: int
) -> None:
    monkeypatch.setattr(module, "REPORTS_WAITING", waiting)
    trial.run(STEADY % str(tmp_path / "longest"))
    reading = trial.clock.read()
    took = float((tmp_path / "longest").read_text())
    assert reading.longest < took + HELD_SECONDS / 2
    assert (reading.steps, reading.started) == (20, None)
    assert trial.steps(20) == list(range(1, 21))


def test_a_program_is_timed_while_its_reports_wait(trial: Trial) -> None:
    trial.run("import time\nfor _ in range(6): print('{\"loss\": 1}', flush=True); time.sleep(0.1)")
    assert trial.clock.read().seconds > 0.45
    assert trial.steps(6) == [1, 2, 3, 4, 5, 6]


PRINTED = b"""epoch 1
{"loss": 1, "step": 2}
{"step": 5}
{"loss": 1}
{"loss": 2, "step": 1}
\xff
"""


def test_a_program_that_fails_has_all_its_reports_taken_and_its_other_lines_logged(
    trial: Trial, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CommandFailedError, match="status 3"):
        trial.run(f"import sys; sys.stdout.buffer.write({PRINTED!r}); sys.exit(3)")
    assert trial.steps(3) == [2, 6, 6]
    assert capsys.readouterr().out == "epoch 1\n\ufffd\n"


@pytest.mark.parametrize("line", ['{"loss": NaN}', '{"loss": 1, "step": NaN}'])
def test_what_is_no_number_ends_the_trial(trial: Trial, line: str) -> None:
    with pytest.raises(ValueError, match=r"NaN|nan"):
        trial.run(f"print({line!r})")


SAVES = """
import json, os, tempfile
for step in range(1, 7):
    folder = tempfile.mkdtemp() if step < 6 else %r
    os.makedirs(folder, exist_ok=True)
    open(os.path.join(folder, "state"), "w").write(str(step))
    print(json.dumps({"loss": 1.0, "step": 10 * step, "checkpoint": folder}), flush=True)
"""


def test_a_program_saves_what_it_has_in_new_folders_however_late_they_are_looked_at(
    trial: Trial, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    trial.run(SAVES % str(elsewhere))
    latest = trial.checkpoints.latest()
    assert latest == Checkpoint(5, step=60, metrics={"loss": 1.0})
    for number, state in ((4, "5"), (5, "6")):
        trial.checkpoints.fetch(number, tmp_path / state)
        assert (tmp_path / state / "state").read_text() == state
    assert list(trial.scratch.iterdir()) == [], "of what was saved"
    assert (elsewhere / "state").read_text() == "6"


def test_what_links_out_of_the_trials_own_folder_is_left_alone(trial: Trial, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (trial.scratch / "link").symlink_to(tmp_path / "precious")
    for path in (trial.scratch, trial.scratch / "link"):
        trial.run(f'print(\'{{"loss": 1, "checkpoint": "{path}"}}\')')
    assert (trial.scratch / "link").is_symlink()
    assert (tmp_path / "precious").is_dir()


@pytest.mark.parametrize("path", ["/no/such/folder", ""])
def test_a_checkpoint_that_is_no_folder_ends_the_trial(trial: Trial, path: str) -> None:
    line = json.dumps({"loss": 1, "checkpoint": path})
    with pytest.raises(NotADirectoryError, match=f"checkpoint '{path}': report the path of an existing folder"):
        trial.run(f"print({line!r})")


LEAVES = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", %r])
print('{"loss": 1, "step": 7}', flush=True)
sys.exit(%d)
"""
LEFT_BEHIND = """
import os, time
while not os.path.exists(%r):
    time.sleep(0.01)
    print(end=%r, flush=True)
print('{"loss": 2}', flush=True)
"""
SILENT, CHATTY = "", "still here\n"


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Path]:
    """A file that tells what a program has left behind to end."""
    yield tmp_path / "told"
    (tmp_path / "told").touch()


@pytest.fixture
def running(trial: Trial, told: Path) -> Iterator[Running]:
    """Run a program in a thread; what it has left behind has ended before that is waited for."""
    with ThreadPoolExecutor() as pool:
        yield lambda program: pool.submit(trial.run, program)
        told.touch()


@pytest.mark.parametrize("says", [SILENT, CHATTY])
@pytest.mark.parametrize("status", [0, 3])
def test_what_a_program_leaves_behind_does_not_keep_its_trial(
    trial: Trial, running: Running, told: Path, monkeypatch: pytest.MonkeyPatch, says: str, status: int
) -> None:
    monkeypatch.setattr(output, "QUIET_SECONDS", 0.1 if says is SILENT else PATIENCE)
    monkeypatch.setattr(output, "LEFT_BEHIND_SECONDS", 0.1 if says is CHATTY else PATIENCE)
    ended = running(LEAVES % (LEFT_BEHIND % (str(told), says), status)).exception(PATIENCE)
    assert (ended is None) == (status == 0), ended
    assert status == 0 or "status 3" in str(ended)
    assert trial.steps(1) == [7]


def test_what_is_left_behind_is_heard_for_a_while_in_which_no_step_is_in_flight(
    trial: Trial, running: Running, told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for patience in ("QUIET_SECONDS", "LEFT_BEHIND_SECONDS"):
        monkeypatch.setattr(output, patience, PATIENCE)
    run = running(LEAVES % (LEFT_BEHIND % (str(told), SILENT), 0))
    assert trial.steps(1) == [7]
    eventually(lambda: trial.clock.read().started is None, "no step is in flight", every=0.01)
    assert not run.done()
    told.touch()
    run.result(PATIENCE)
    assert trial.steps(2) == [7, 8]
    assert trial.clock.read().started is None
