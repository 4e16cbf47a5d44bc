"""How a run ends that gets no further than its preflight, and what becomes of an earlier driver's trials; without Ray."""

import os
import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from support.sweeps import sweep_manifest
from tuningsweep_api.messages import SweepResult
from tuningsweep_api.outcomes import ConditionReason, Outcome, Reason
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.driver import run as module
from tuningsweep_trainer.driver.conductor import Conductor
from tuningsweep_trainer.driver.control import ControlServer
from tuningsweep_trainer.driver.options import ControlOptions, DriverOptions
from tuningsweep_trainer.driver.preflight import Tried
from tuningsweep_trainer.driver.run import InterruptedSweepError, UnheardFailureError
from tuningsweep_trainer.errors import DatasetError, SweepError
from tuningsweep_trainer.results.checkpoints import CheckpointStore
from tuningsweep_trainer.results.ledger import Assignment, History, Ledger
from tuningsweep_trainer.results.store import LocalStore

TRIAL = "trial-0000"


def no_nodes(*_: Any) -> Any:
    """A fleet of none."""
    nothing = {"order": lambda _: None, "meet_nodes": lambda: None, "observe": lambda _: {}, "leave": lambda: None}
    return SimpleNamespace(nodes=0, **nothing)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_interrupts_the_sweep_and_is_handled_as_before_afterwards(number: signal.Signals) -> None:
    interrupted: list[signal.Signals] = []
    before = signal.getsignal(number)
    with module._signals(interrupted.append, enabled=True):
        os.kill(os.getpid(), number)
    assert interrupted == [number]
    assert signal.getsignal(number) is before


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """With a trial that an earlier driver left unfinished."""
    made = Ledger(LocalStore(tmp_path))
    made.assign(Assignment(trial=TRIAL, parameters={"batch_size": 30, "learning_rate": 0.1}, attempt=1, time="t"))
    return made


@pytest.fixture
def make_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ledger: Ledger) -> Callable[..., Any]:
    """A run whose preflight finds no data."""

    def fails(_: Any) -> None:
        raise DatasetError("no such data set")

    monkeypatch.setattr(module, "Fleet", no_nodes)
    monkeypatch.setattr(module, "write_probe", fails)
    sweep = TuningSweep.from_manifest(sweep_manifest())
    return lambda **more: module._Run(sweep, DriverOptions(results=str(tmp_path), handle_signals=False, **more))


def outcomes(history: History) -> dict[str, tuple[Outcome, Reason]]:
    return {record.trial: (record.outcome, record.reason) for record in history.records}


def test_a_failed_preflight_ends_what_an_earlier_driver_left(make_run: Callable[..., Any], ledger: Ledger) -> None:
    state = make_run().run()
    assert (state.result.reason, state.trials.stopped) == (ConditionReason.DATASET_UNAVAILABLE, 1)
    assert outcomes(ledger.load()) == {TRIAL: (Outcome.STOPPED, Reason.SWEEP_ENDED)}


def test_it_is_told_though_the_ledger_can_not_be_written(
    make_run: Callable[..., Any], ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(Ledger, "record", full)
    assert make_run().run().result.reason is ConditionReason.DATASET_UNAVAILABLE
    assert list(ledger.load().unfinished) == [TRIAL]


@pytest.fixture
def ended_before(tmp_path: Path, ledger: Ledger) -> CheckpointStore:
    """Checkpoints 0 and 1 of a trial that ended under an earlier driver, which left Tune's copies too."""
    outcome, reason = Outcome.SUCCEEDED, Reason.COMPLETED
    ledger.record(TrialRecord(trial="ended", parameters={}, outcome=outcome, reason=reason, completion_time="t"))
    (tmp_path / "tune" / "run").mkdir(parents=True)
    checkpoints = CheckpointStore(str(tmp_path), "ended")
    for number in range(2):
        checkpoints.save(number, None, step=number, metrics={})
    return checkpoints


def test_results_that_a_sweep_can_not_have_are_left_as_they_are(
    make_run: Callable[..., Any], ledger: Ledger, ended_before: CheckpointStore, tmp_path: Path
) -> None:
    state = make_run(refusal=SweepError(ConditionReason.RESULTS_TAKEN, "of another")).run()
    assert state.result.reason is ConditionReason.RESULTS_TAKEN
    assert list(ledger.load().unfinished) == [TRIAL]
    assert ended_before.describe(0) is not None
    assert (tmp_path / "tune").exists()


def test_what_nobody_will_read_again_is_gone_with_the_driver(
    make_run: Callable[..., Any], ended_before: CheckpointStore, tmp_path: Path
) -> None:
    make_run().run()
    assert (ended_before.describe(0) is None, ended_before.describe(1) is None) == (True, False)
    assert not (tmp_path / "tune").exists()


def test_a_preflight_that_fails_as_it_is_interrupted_says_nothing(
    make_run: Callable[..., Any], ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run()

    def fails_as_storage_goes(_: Any) -> None:
        run._interrupt(signal.SIGTERM)
        raise SweepError(ConditionReason.STORAGE_UNAVAILABLE, "unmounted")

    monkeypatch.setattr(module, "write_probe", fails_as_storage_goes)
    with pytest.raises(InterruptedSweepError):
        run.run()
    assert list(ledger.load().unfinished) == [TRIAL]


def test_a_second_ctrl_c_and_one_after_the_last_trial_wait_for_no_server(make_run: Callable[..., Any]) -> None:
    leave_now = threading.Event()
    run = make_run(leave_now=leave_now)
    for number in (signal.SIGINT, signal.SIGTERM):
        run._interrupt(number)
        assert run._book.interrupted
        assert not leave_now.is_set()
    run._interrupt(signal.SIGINT)
    assert leave_now.is_set()

    leave_now.clear()
    ended = make_run(leave_now=leave_now)
    ended._conductor.result = SweepResult(succeeded=True, reason=ConditionReason.SEARCH_FINISHED, message="")
    ended._interrupt(signal.SIGINT)
    assert leave_now.is_set()
    assert not ended._book.interrupted


def test_a_slow_trainable_is_spoken_of_and_hinders_nothing(
    make_run: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    run = make_run()
    trainable = {"function": "team.digits:train"}
    run._sweep = TuningSweep.from_manifest(sweep_manifest(spec__trainable=trainable))
    assert run._heed(Tried(load_seconds=4.2)) is None
    (said,) = caplog.messages
    assert "trainable.preload: [team.digits]" in said


def test_what_a_node_refuses_ends_the_sweep(make_run: Callable[..., Any]) -> None:
    result = make_run()._heed(Tried(("StorageUnavailable", "it is not there"), 4.2))
    assert (result.succeeded, result.reason, result.message) == (
        False,
        ConditionReason.STORAGE_UNAVAILABLE,
        "it is not there",
    )


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parts of the driver that were left; none of them can be left in good order."""
    parts: list[str] = []

    def fails(name: str, leave: Callable[..., None]) -> Callable[..., None]:
        def leave_and_fail(*arguments: Any) -> None:
            parts.append(name)
            leave(*arguments)
            raise TimeoutError(name)

        return leave_and_fail

    def fleet(*arguments: Any) -> Any:
        made = no_nodes(*arguments)
        made.leave = fails("fleet", made.leave)
        return made

    monkeypatch.setattr(module, "Fleet", fleet)
    monkeypatch.setattr(Conductor, "leave", fails("conductor", Conductor.leave))
    monkeypatch.setattr(ControlServer, "stop", fails("control", ControlServer.stop))
    return parts


def on_port(port: int) -> ControlOptions:
    return ControlOptions("token", host="127.0.0.1", port=port, acknowledge_seconds=0.0)


def test_parts_that_can_not_be_left_in_good_order_do_not_change_how_the_run_ends(
    make_run: Callable[..., Any], left: list[str]
) -> None:
    run = make_run(control=on_port(0))
    with pytest.raises(UnheardFailureError, match="no such data set"):
        run.run()
    assert left == ["conductor", "fleet", "control"]


def test_a_port_that_is_taken_is_what_the_run_fails_with_and_every_part_is_left(
    make_run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[str] = []
    stop = ControlServer.stop
    monkeypatch.setattr(ControlServer, "stop", lambda server: (left.append("control"), stop(server)))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        run = make_run(control=on_port(taken.getsockname()[1]))
        run._fleet.leave = lambda: left.append("fleet")
        with pytest.raises(OSError, match="address already in use"):
            run.run()
    assert left == ["fleet", "control"]
