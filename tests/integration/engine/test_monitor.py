"""Fork server and monitor without Ray: hostile trainables are killed in the middle of their step, with all they forked."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from integration.engine.conftest import PYTHON_PATH, sweep_of
from support.full_disk import FullDisk
from support.patience import PATIENCE, eventually
from tuningsweep_api.messages import desired_state
from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_trainer.driver.context import SweepContext
from tuningsweep_trainer.node.runtime import Orders, RuntimeFolder
from tuningsweep_trainer.node.step_times import BUCKETS
from tuningsweep_trainer.supervisor.ending import Ending
from tuningsweep_trainer.supervisor.launcher import Launcher
from tuningsweep_trainer.supervisor.monitor import Monitor
from tuningsweep_trainer.supervisor.reports import Ended, Report
from tuningsweep_trainer.training.preload import Preload
from tuningsweep_trainer.training.process_tree import descendants


@pytest.fixture(scope="module")
def launcher() -> Iterator[Launcher]:
    """One fork server, reused as a supervisor reuses it."""
    launcher = Launcher(Preload(modules=["tuningsweep_trainer.training.process"], python_path=PYTHON_PATH))
    launcher.start()
    yield launcher
    launcher.stop()


class Trial:
    """A training process under its monitor."""

    def __init__(self, launcher: Launcher, folder: Path, edits: dict[str, Any], parameters: dict[str, Any]) -> None:
        self.sweep = sweep_of(edits)
        context = SweepContext(run_id="test", sweep=self.sweep, results=str(folder), python_path=PYTHON_PATH)
        self.runtime = RuntimeFolder(folder / "node")
        self.runtime.make()
        self.order()
        job = context.job("trial-0000", parameters)
        self.launcher, self.log = launcher, context.log_file("trial-0000")
        self.launched = launcher.launch(job, self.log)
        self.monitor = Monitor(launcher, self.launched, job, "process", self.runtime)
        self.monitor.start()
        self.reports: list[Report] = []

    def order(self, **changes: Any) -> None:
        orders = Orders(revision=1, desired=desired_state(self.sweep)).model_copy(update=changes)
        self.runtime.write_orders(orders)

    def wait(self) -> Ending | None:
        """Take reports to the end of the process."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            event = self.monitor.events.get(timeout=PATIENCE)
            if isinstance(event, Ended):
                self.ended = time.monotonic()
                self.monitor.close()
                return event.ending
            self.monitor.acknowledge()
            self.reports.append(event)
        raise AssertionError("the training process has not ended")


Start = Callable[..., Trial]


@pytest.fixture
def start(launcher: Launcher, tmp_path: Path) -> Iterator[Start]:
    """Start a trial; whatever it left running is killed afterwards."""
    yield lambda edits, **parameters: Trial(launcher, tmp_path, edits, parameters)
    launcher.kill_trial()


HOSTILE: dict[str, Any] = {"trainable.function": "hostile_functions:hostile"}
MEMORY, STEP_TIME = {"memory": "300Mi"}, {"stepTime": "1s"}
REASONS = {
    "allocates": Reason.MEMORY_LIMIT_EXCEEDED,
    "hangs": Reason.STEP_TIME_LIMIT_EXCEEDED,
    "ignores_sigterm": Reason.STEP_TIME_LIMIT_EXCEEDED,
    "forks_hog": Reason.MEMORY_LIMIT_EXCEEDED,
    "daemonises_hog": Reason.MEMORY_LIMIT_EXCEEDED,
}


@pytest.mark.parametrize("behaviour", REASONS)
def test_a_hostile_trainable_is_killed_with_all_it_forked(start: Start, launcher: Launcher, behaviour: str) -> None:
    limits = MEMORY if REASONS[behaviour] is Reason.MEMORY_LIMIT_EXCEEDED else STEP_TIME
    trial = start({**HOSTILE, "limits": limits}, behaviour=behaviour)
    ending = trial.wait()
    assert ending is not None
    assert (ending.outcome, ending.reason) == (Outcome.LIMIT_EXCEEDED, REASONS[behaviour]), ending
    assert ending.observed is not None
    assert ending.limit is not None
    assert ending.observed > ending.limit
    assert descendants(launcher.server_pid) == []
    trace = trial.monitor.trace()
    assert (trace.outcome, trace.reason) == (ending.outcome, ending.reason)
    assert trace.limits[0].limits == trial.sweep.spec.limits
    if ending.reason is Reason.STEP_TIME_LIMIT_EXCEEDED:
        assert max(point.step_in_flight for point in trace.closing) > 0.9
        print(f"{behaviour}: stopped {ending.observed - ending.limit:.3f} s over the limit")
    else:
        assert max(point.memory for point in trace.closing) >= ending.observed
        print(f"{behaviour}: killed at {trial.monitor.totals.peak_memory >> 20} MiB")


def test_a_step_in_flight_is_judged_by_limits_edited_meanwhile(start: Start) -> None:
    trial = start(HOSTILE, behaviour="hangs")
    time.sleep(0.3)
    assert trial.monitor.is_alive()
    tightened = desired_state(sweep_of({"limits": {"stepTime": "200ms"}}))
    edited = time.monotonic()
    trial.order(desired=tightened)
    ending = trial.wait()
    assert ending is not None
    assert ending.reason is Reason.STEP_TIME_LIMIT_EXCEEDED
    print(f"the edit took hold in {trial.ended - edited:.3f} s")


@pytest.mark.parametrize("part", ["killing", "last numbers"])
def test_a_trial_ends_though_a_part_of_its_end_fails(
    start: Start, launcher: Launcher, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    trial = start(HOSTILE, behaviour="hangs")

    def fails(*_: Any) -> bool:
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patch:
        patch.setattr(
            *((launcher, "kill_trial") if part == "killing" else (trial.monitor.measurements, "finish")), fails
        )
        trial.order(end=Reason.SWEEP_ENDED)
        ending = trial.wait()
    assert ending is not None
    assert (ending.outcome, ending.reason) == (Outcome.STOPPED, Reason.SWEEP_ENDED)
    assert trial.monitor.events.empty(), "it ended twice"
    assert (descendants(launcher.server_pid) == []) == (part != "killing")


def test_a_trial_goes_on_while_another_has_filled_the_shared_memory(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    trial = start({"trainable.function": "functions_of_engine:waits"}, until=str(told))
    disk = FullDisk(trial.runtime.path, monkeypatch)
    disk.room = 0
    eventually(lambda: disk.refused > 2, "it is tried again", every=0.02)
    told.touch()
    ending = trial.wait()
    assert ending is not None
    assert ending.outcome is Outcome.SUCCEEDED


def test_trial_duration_is_judged(start: Start) -> None:
    trial = start(
        {"trainable.function": "hostile_functions:hostile", "limits": {"trialDuration": "300ms"}}, behaviour="hangs"
    )
    ending = trial.wait()
    assert ending is not None
    assert ending.reason is Reason.TRIAL_DURATION_EXCEEDED


@pytest.mark.parametrize(
    ("changes", "ending"),
    [
        ({"stop": True}, (Outcome.STOPPED, Reason.STOP_REQUESTED)),
        ({"end": Reason.SWEEP_ENDED}, (Outcome.STOPPED, Reason.SWEEP_ENDED)),
        ({"released": ["process"]}, None),
        ({"interrupted": True}, None),
    ],
)
def test_orders_are_obeyed_in_mid_step(start: Start, changes: dict[str, Any], ending: Any) -> None:
    trial = start(HOSTILE, behaviour="hangs")
    if changes.pop("stop", False):
        changes["desired"] = desired_state(trial.sweep).model_copy(update={"stop_trials": ["trial-0000"]})
    trial.order(**changes)
    found = trial.wait()
    assert (None if found is None else (found.outcome, found.reason)) == ending


def test_a_limit_that_warns_is_recorded_once_for_each_reason(start: Start) -> None:
    limits = {"stepTime": "1ms", "meanStepTime": "1ms", "warmupSteps": 1, "windowSteps": 2, "action": "Warn"}
    trial = start({"trainable.function": "functions_of_engine:waits", "limits": limits}, steps=400)
    ending = trial.wait()
    assert ending is not None
    assert ending.outcome is Outcome.SUCCEEDED
    warned = [warning.reason for warning in trial.monitor.totals.warnings]
    assert sorted(warned) == [Reason.MEAN_STEP_TIME_LIMIT_EXCEEDED, Reason.STEP_TIME_LIMIT_EXCEEDED]


def test_reports_come_in_order_with_what_was_measured(start: Start) -> None:
    trial = start({"trainable.function": "functions_of_engine:stepping"}, x=1)
    ending = trial.wait()
    assert ending is not None
    assert ending.outcome is Outcome.SUCCEEDED
    assert [report.step for report in trial.reports] == list(range(4, 41, 4))
    assert [(report.step, report.objective) for report in trial.monitor.trace().reports] == [
        (report.step, report.metrics["loss"]) for report in trial.reports
    ]
    last = trial.reports[-1].metrics
    assert last["loss"] == 1 + 1 / 40
    assert last["memory_bytes"] > 1 << 20
    assert last["mean_step_time_seconds"] >= 0.002
    assert {"cpu_percent", "elapsed_seconds"} <= set(last)


@pytest.mark.parametrize(
    ("behaviour", "reason", "words"),
    [
        ("dies", Reason.TRAINING_PROCESS_DIED, "SIGSEGV"),
        ("leaves_silently", Reason.TRAINING_PROCESS_DIED, "status 0"),
        ("prints_and_raises", Reason.TRAINABLE_ERROR, "RuntimeError: x is 0"),
    ],
)
def test_failures_say_why(start: Start, behaviour: str, reason: Reason, words: str) -> None:
    trial = start({"trainable.function": "functions_of_engine:behaving"}, behaviour=behaviour)
    ending = trial.wait()
    assert ending is not None
    assert (ending.outcome, ending.reason) == (Outcome.FAILED, reason)
    assert words in ending.message
    if behaviour == "prints_and_raises":
        assert "about to fail" in trial.log.read_text()


def test_a_trial_that_never_reports_the_objective_says_what_it_reported(start: Start) -> None:
    ending = start({"trainable.function": "hostile_functions:reports_nothing"}).wait()
    assert ending is not None
    assert ending.reason is Reason.METRIC_MISSING
    assert "other" in ending.message


PROGRAM = """
import json, os
x = json.loads(os.environ["TUNINGSWEEP_PARAMETERS"])["x"]
print("loading", flush=True)
for step in (2, 4):
    print(json.dumps({"loss": x / step, "step": step}), flush=True)
raise SystemExit(int(x))
"""


@pytest.mark.parametrize("status", [0, 3])
def test_a_command_reports_by_lines(start: Start, status: int) -> None:
    trial = start({"trainable": {"command": [sys.executable, "-c", PROGRAM]}}, x=status)
    ending = trial.wait()
    assert ending is not None
    assert [report.metrics["loss"] for report in trial.reports] == [status / 2, status / 4]
    assert "loading" in trial.log.read_text()
    if status == 0:
        assert ending.outcome is Outcome.SUCCEEDED
    else:
        assert "status 3" in ending.message


def test_what_a_command_leaves_behind_ends_with_it(start: Start, launcher: Launcher) -> None:
    script = "sleep 3600 & echo '{\"loss\": 1}'"
    trial = start({"trainable": {"command": ["sh", "-c", script]}})
    ending = trial.wait()
    assert ending is not None
    assert ending.outcome is Outcome.SUCCEEDED
    assert [report.metrics["loss"] for report in trial.reports] == [1]
    assert descendants(launcher.server_pid) == []


def test_a_training_process_is_fresh_and_the_kernels_first_victim(start: Start) -> None:
    first = start(HOSTILE, behaviour="hangs")
    chosen = Path(f"/proc/{first.launched.pid}/oom_score_adj")
    eventually(lambda: chosen.read_text().strip() == "1000", "the kernel's first victim", every=0.02)
    first.monitor.withdraw()
    second = start(HOSTILE, behaviour="hangs")
    assert second.launched.pid != first.launched.pid
    second.monitor.withdraw()


ORPHAN = """
import sys
from pathlib import Path
from integration.engine.conftest import PYTHON_PATH, sweep_of
from tuningsweep_trainer.driver.context import SweepContext
from tuningsweep_trainer.supervisor.launcher import Launcher
import time

context = SweepContext(
    run_id="test",
    sweep=sweep_of({"trainable.function": "hostile_functions:hostile"}),
    results=sys.argv[1],
    python_path=PYTHON_PATH,
)
launcher = Launcher(context.preload)
launched = launcher.launch(context.job("trial-0000", {"behaviour": "ignores_sigterm"}), Path(sys.argv[1]) / "log")
print(launcher.server_pid, launched.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("victim", ["supervisor", "fork server"])
def test_nothing_outlives_the_supervisor(tmp_path: Path, victim: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    owner = subprocess.Popen(
        [sys.executable, "-c", ORPHAN, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert owner.stdout is not None
        server, child = (int(pid) for pid in owner.stdout.readline().split())
        os.kill(owner.pid if victim == "supervisor" else server, signal.SIGKILL)
        eventually(lambda: not alive(child), "the training process ends with its supervisor", every=0.02)
        eventually(lambda: not alive(server), "so does the fork server", every=0.02)
    finally:
        owner.kill()
        owner.wait()


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_trial_that_reports_all_the_time_is_judged_all_the_same(start: Start) -> None:
    limits = {"trialDuration": "1s"}
    trial = start({"trainable.function": "functions_of_engine:reports_all_the_time", "limits": limits})
    ending = trial.wait()
    assert ending is not None
    assert (ending.outcome, ending.reason) == (Outcome.LIMIT_EXCEEDED, Reason.TRIAL_DURATION_EXCEEDED)


def test_what_is_published_has_the_limits_and_every_step(start: Start) -> None:
    limits = {"memory": "1Gi", "meanStepTime": "10m", "stepTime": "20m", "trialDuration": "30m"}
    for _ in range(2):  # the second trial of a supervisor goes on counting
        trial = start({"trainable.function": "functions_of_engine:waits", "limits": limits}, steps=10)
        status = eventually(trial.runtime.statuses, "it is published", every=0.01)[0]
        assert (status.memory_limit, status.mean_step_time_limit) == (1 << 30, 600.0)
        assert (status.step_time_limit, status.duration_limit) == (1200.0, 1800.0)
        assert status.duration > 0
        assert trial.wait() is not None
        assert trial.runtime.statuses() == []
    times = trial.runtime.step_times()
    assert sum(times.counts) == 20
    assert sum(count for bound, count in zip(BUCKETS, times.counts, strict=False) if bound < 0.05) == 0
    assert times.seconds > 20 * 0.05
