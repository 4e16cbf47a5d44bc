"""A real MLflow server that comes late, goes, refuses, hangs or loses answers: no trial waits, nothing is lost or doubled."""

import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow.tracking import MlflowClient

from support.mlflow_server import FaultyProxy, MlflowServer, faulty_proxy
from support.patience import PATIENCE
from support.sweeps import BASE, edited
from tuningsweep_api.messages import SweepState
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.tracking import sender
from tuningsweep_trainer.tracking.resend import send_the_rest
from tuningsweep_trainer.tracking.setup import make_listeners
from tuningsweep_trainer.tracking.spool import FOLDER

PASSWORD = "correct-horse-battery"


@pytest.fixture(scope="module")
def any_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    """One for all tests, which may be stopped."""
    server = MlflowServer(tmp_path_factory.mktemp("server"))
    yield server
    server.stop()


@pytest.fixture
def server(any_server: MlflowServer) -> MlflowServer:
    """It, running."""
    any_server.start()
    return any_server


@pytest.fixture
def proxy(server: MlflowServer) -> Iterator[FaultyProxy]:
    with faulty_proxy(server) as running:
        yield running


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "600")
    monkeypatch.setattr(sender, "FIRST_WAIT", 0.05)


class Sweep:
    """A driver's half of a sweep with one trial a second of its life."""

    def __init__(self, results: Path, name: str, uri: str) -> None:
        self.results, self.name = results, name
        self.sweep = TuningSweep.from_manifest(
            edited(
                BASE,
                {
                    "metadata.name": name,
                    "metadata.uid": name,
                    "spec.trainable": {"function": "module:function"},
                    "spec.tracking": {"mlflow": {"trackingUri": uri}},
                },
            )
        )
        (self.listener,) = make_listeners(self.sweep, str(results), own_process=False)

    def trial(self, number: int) -> None:
        name = f"trial-{number:04d}"
        self.listener.trial_started(name, {"x": number})
        for step in (10, 20):
            self.listener.trial_reported(name, {"validation_loss": 1 / step, "memory_bytes": 1e8}, step)
        self.listener.trial_ended(
            TrialRecord.model_validate(
                {
                    "trial": name,
                    "parameters": {"x": number},
                    "outcome": "LimitExceeded",
                    "reason": "MemoryLimitExceeded",
                    "observed": 5e8,
                    "limit": 4e8,
                    "completionTime": "2026-01-02T03:04:05Z",
                }
            )
        )

    def end(self, *, interrupted: bool = False) -> None:
        result = None if interrupted else {"succeeded": True, "reason": "SearchFinished", "message": "done"}
        state = {"sweepUid": self.name, "driverId": "d", "startTime": "", "desiredDigest": "", "trials": {}}
        self.listener.sweep_ended(SweepState.model_validate({**state, "result": result}))

    @property
    def unsent(self) -> list[Path]:
        folder = self.results / FOLDER
        return sorted(folder.iterdir()) if folder.is_dir() else []


def check_complete(server: MlflowServer, name: str, trials: int) -> None:
    """One parent and one child a trial, with every point, tag and end."""
    client = MlflowClient(tracking_uri=server.uri)
    experiment = client.get_experiment_by_name(f"default/{name}")
    runs: dict[str, Any] = {}
    for run in client.search_runs([experiment.experiment_id]):
        assert run.info.run_name not in runs, "a run was made twice"
        runs[run.info.run_name] = run
    assert set(runs) == {name, *(f"trial-{number:04d}" for number in range(trials))}
    assert runs[name].info.status == "FINISHED"
    for number in range(trials):
        run = runs[f"trial-{number:04d}"]
        assert run.info.status == "KILLED"
        assert run.data.params == {"x": str(number)}
        assert run.data.tags["mlflow.parentRunId"] == runs[name].info.run_id
        assert run.data.tags["tuningsweep.reason"] == "MemoryLimitExceeded"
        history = client.get_metric_history(run.info.run_id, "validation_loss")
        assert {(point.step, point.value) for point in history} == {(10, 0.1), (20, 0.05)}
        assert len(history) == 2
        assert run.data.metrics["system/memory_bytes"] == 1e8


def test_a_server_that_is_started_late_stopped_and_started_again(tmp_path: Path, any_server: MlflowServer) -> None:
    any_server.stop()
    first = Sweep(tmp_path, "late", any_server.uri)
    first.trial(0)
    any_server.start()
    first.trial(1)
    first.end(interrupted=True)
    assert first.unsent == []

    any_server.stop()
    second = Sweep(tmp_path, "late", any_server.uri)
    second.trial(2)
    second.end()
    assert second.unsent

    any_server.start()
    assert send_the_rest(str(tmp_path))[1] == 0
    assert second.unsent == []
    check_complete(any_server, "late", 3)


def test_a_server_that_refuses_for_a_while_is_told_everything_and_the_log_says_so_once(
    tmp_path: Path, server: MlflowServer, proxy: FaultyProxy, caplog: pytest.LogCaptureFixture
) -> None:
    proxy.fault = "500"
    with caplog.at_level(logging.INFO):
        sweep = Sweep(tmp_path, "refused", proxy.uri)
        for number in range(3):
            sweep.trial(number)
        wait_for_faults(proxy, 4)
        proxy.fault = ""
        sweep.trial(3)
        sweep.end()
    assert sweep.unsent == []
    check_complete(server, "refused", 4)
    assert sum("MLflow can't be told" in message for message in caplog.messages) == 1
    assert sum("can be told again" in message for message in caplog.messages) == 1


def test_a_server_that_hangs_holds_up_neither_trials_nor_for_long_the_end_and_a_later_driver_sends_the_rest(
    tmp_path: Path, server: MlflowServer, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "END_SECONDS", 1.0)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")
    proxy.fault = "hang"
    first = Sweep(tmp_path, "hanging", proxy.uri)
    first.trial(0)  # returns while the server hangs, or the test times out
    wait_for_faults(proxy, 1)
    first.trial(1)
    first.end(interrupted=True)
    assert first.unsent
    proxy.fault = ""
    proxy.released.set()
    monkeypatch.setattr(sender, "END_SECONDS", PATIENCE)
    second = Sweep(tmp_path, "hanging", proxy.uri)
    second.trial(2)
    second.end()
    assert second.unsent == []
    check_complete(server, "hanging", 3)


def test_answers_that_are_lost_make_no_run_twice(tmp_path: Path, server: MlflowServer, proxy: FaultyProxy) -> None:
    proxy.fault, proxy.only = "lose", "/runs/create"
    sweep = Sweep(tmp_path, "lost", proxy.uri)
    sweep.trial(0)
    wait_for_faults(proxy, 2)  # the parent's run, then the child's
    proxy.fault = ""
    sweep.end()
    assert sweep.unsent == []
    check_complete(server, "lost", 1)


def test_credentials_are_in_no_log_and_no_file(
    tmp_path: Path, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "tracker")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", PASSWORD)
    proxy.fault = "401"
    with caplog.at_level(logging.DEBUG, logger="tuningsweep_trainer"):
        sweep = Sweep(tmp_path, "secret", proxy.uri)
        sweep.trial(0)
        wait_for_faults(proxy, 1)
        sweep.end()
    assert any("401" in message for message in caplog.messages)
    assert PASSWORD not in caplog.text
    written = [file.read_text() for file in tmp_path.rglob("*") if file.is_file()]
    assert written
    assert not any(PASSWORD in text for text in written)


def test_what_is_sent_later_says_when_it_happened(tmp_path: Path, server: MlflowServer, proxy: FaultyProxy) -> None:
    proxy.fault = "500"
    sweep = Sweep(tmp_path, "when", proxy.uri)
    sweep.trial(0)
    sweep.end()
    (told,) = [
        event
        for file in sweep.unsent
        for event in map(json.loads, file.read_text().splitlines())
        if event["kind"] == "reported" and event["step"] == 10
    ]
    proxy.fault = ""
    assert send_the_rest(str(tmp_path))[1] == 0
    client = MlflowClient(tracking_uri=server.uri)
    experiment = client.get_experiment_by_name("default/when")
    (run,) = client.search_runs([experiment.experiment_id], "tags.`tuningsweep.trial` = 'trial-0000'")
    history = client.get_metric_history(run.info.run_id, "validation_loss")
    assert [point.timestamp for point in history if point.step == 10] == [told["timeMs"]]


def wait_for_faults(proxy: FaultyProxy, count: int) -> None:
    """Wait until so many requests have met the fault."""
    deadline = time.monotonic() + PATIENCE
    while proxy.faults < count:
        assert time.monotonic() < deadline, f"{proxy.faults} faults"
        time.sleep(0.05)
