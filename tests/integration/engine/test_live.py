"""What the operator changes while trials run, through the real control API: limits, single stops, the final word."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from integration.engine.conftest import PYTHON_PATH, records_in, sweep_of
from integration.engine.scheduler_cases import UNIT
from support.patience import PATIENCE, eventually
from tuningsweep_api.messages import DesiredState, SweepState, TrialPage, desired_state
from tuningsweep_trainer.driver.options import ControlOptions, DriverOptions
from tuningsweep_trainer.driver.run import UnheardFailureError, run_sweep
from tuningsweep_trainer.errors import DatasetError
from tuningsweep_trainer.results.store import open_store
from tuningsweep_trainer.results.traces import TraceRecorder, TrialTrace, write_trace

TOKEN = "a-token-of-the-tests"


class Driver:
    """A driver in a thread, spoken to as the operator does."""

    def __init__(self, results: Path, edits: dict[str, Any], port: int) -> None:
        self.sweep, self.port = sweep_of(edits), port
        options = DriverOptions(
            results=str(results),
            control=ControlOptions(token=TOKEN, host="127.0.0.1", port=port, acknowledge_seconds=PATIENCE),
            python_path=PYTHON_PATH,
            preflight=False,
            handle_signals=False,
        )
        self.last: SweepState | None = None
        self.thread = threading.Thread(target=self._run, args=[options])
        self.thread.start()

    def _run(self, options: DriverOptions) -> None:
        self.last = run_sweep(self.sweep, options)

    def call(self, path: str, body: bytes | None = None, token: str = TOKEN) -> bytes:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=body,
            method="GET" if body is None else "PUT",
            headers={"Authorization": f"Bearer {token}"},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            content: bytes = response.read()
            return content

    def state(self) -> SweepState:
        return SweepState.model_validate_json(self.call("/v1/state"))

    def put(self, desired: DesiredState) -> SweepState:
        return SweepState.model_validate_json(self.call("/v1/desired", desired.model_dump_json(by_alias=True).encode()))

    def until(self, check: Callable[[SweepState], object]) -> SweepState:
        def state() -> SweepState | None:
            try:
                found = self.state()
            except OSError:  # the driver does not listen yet
                return None
            return found if check(found) else None

        return eventually(state, "what the driver says", every=0.05)

    def acknowledge(self, desired: DesiredState) -> SweepState:
        self.put(desired.model_copy(update={"acknowledged": True}))
        self.thread.join(PATIENCE)
        assert self.last is not None
        return self.last


def check_what_the_command_line_reads(driver: Driver, results: Path) -> None:
    """Records in pages, traces by trial; both with the token alone, neither with a path from outside."""
    page = TrialPage.model_validate_json(driver.call("/v1/trials?after=1&limit=1"))
    assert page.total == 3
    whole = TrialPage.model_validate_json(driver.call("/v1/trials"))
    assert [record.trial for record in whole.records] == list(records_in(results))
    assert page.records == whole.records[1:2]
    assert status_of(driver, "/v1/trials", token="wrong") == 401
    assert status_of(driver, "/v1/trials?after=-1") == 422

    trace = TraceRecorder().trace(
        trial="trial-0009",
        parameters={},
        start_time="2026-01-02T03:00:00.000Z",
        duration=1.0,
        outcome=None,
        reason=None,
    )
    write_trace(open_store(str(results)), trace)
    assert [TrialTrace.model_validate(found) for found in json.loads(driver.call("/v1/traces/trial-0009"))] == [trace]
    assert json.loads(driver.call("/v1/traces/trial-0008")) == []
    assert status_of(driver, "/v1/traces/trial-0009", token="wrong") == 401
    assert status_of(driver, "/v1/traces/..%2F..%2Fetc") == 422
    assert json.loads((results / "sweep.json").read_text())["metadata"]["name"] == "engine"


def status_of(driver: Driver, path: str, body: bytes | None = None, token: str = TOKEN) -> int:
    with pytest.raises(urllib.error.HTTPError) as refused:
        driver.call(path, body, token)
    return refused.value.code


def test_edits_stop_running_trials_and_the_driver_waits_to_be_acknowledged(
    embedded_ray: None, tmp_path: Path, unused_tcp_port: int
) -> None:
    driver = Driver(tmp_path, {"trainable.function": "functions_of_engine:waits"}, unused_tcp_port)
    driver.until(lambda state: state.trials.running == 2 and all(trial.steps > 2 for trial in state.running))
    assert driver.call("/healthz") == b"ok\n"
    assert status_of(driver, "/v1/state", token="wrong") == 401
    assert status_of(driver, "/v1/desired", b'{"limits": {}}') == 422
    assert status_of(driver, "/v1/desired", b"x" * (2 << 20)) == 413

    shown = driver.state().running[0]
    assert shown.memory > 64 << 20
    assert shown.mean_step_time is not None

    wanted = desired_state(driver.sweep).model_copy(update={"stop_trials": ["trial-0000"]})
    edited = time.monotonic()
    assert driver.put(wanted).desired_digest == wanted.digest()
    driver.until(lambda state: state.trials.stopped == 1)
    print(f"a stop request took {time.monotonic() - edited:.2f} s")

    # Fewer trials altogether, and a limit that those which run are over already.
    limits = sweep_of({"limits": {"memory": "32Mi"}}).spec.limits
    tightened = wanted.model_copy(update={"limits": limits, "max_trial_count": 3})
    edited = time.monotonic()
    driver.put(tightened)
    ended = driver.until(lambda state: state.result is not None)
    print(f"tightened limits ended the sweep in {time.monotonic() - edited:.2f} s")
    assert driver.thread.is_alive(), "the driver left before it was acknowledged"
    assert [stop.sequence for stop in ended.recent_stops] == [1, 2, 3]
    assert (tmp_path / "desired.json").exists()
    check_what_the_command_line_reads(driver, tmp_path)

    last = driver.acknowledge(tightened)
    assert last.result is not None
    assert last.result.reason == "NoTrialSucceeded"
    records = records_in(tmp_path)
    assert (records["trial-0000"]["outcome"], records["trial-0000"]["reason"]) == ("Stopped", "StopRequested")
    for trial in ("trial-0001", "trial-0002"):
        assert records[trial]["reason"] == "MemoryLimitExceeded"
        assert records[trial]["observed"] > records[trial]["limit"] == 32 << 20
    assert json.loads((tmp_path / "result.json").read_text())["result"]["reason"] == "NoTrialSucceeded"
    assert json.loads((tmp_path / "desired.json").read_text())["maxTrialCount"] == 3


def test_a_failure_that_nobody_acknowledges_is_no_success(embedded_ray: None, tmp_path: Path) -> None:
    options = DriverOptions(
        results=str(tmp_path),
        control=ControlOptions(token=TOKEN, host="127.0.0.1", port=0, acknowledge_seconds=0.0),
        handle_signals=False,
        refusal=DatasetError("it is not there"),
    )
    with pytest.raises(UnheardFailureError, match="it is not there"):
        run_sweep(sweep_of({}), options)
    assert json.loads((tmp_path / "result.json").read_text())["result"]["reason"] == "DatasetUnavailable"


def test_a_raised_parallel_trial_count_takes_hold_among_trials_shorter_than_the_start_of_a_supervisor(
    embedded_ray: None, tmp_path: Path, unused_tcp_port: int
) -> None:
    edits = {
        "parameters": [UNIT],
        "search": {"algorithmName": "random"},
        "trainable.function": "functions_of_engine:brief",
        "parallelTrialCount": 1,
        "maxTrialCount": 100_000,
    }
    driver = Driver(tmp_path, edits, unused_tcp_port)
    driver.until(lambda state: state.trials.succeeded > 5)
    raised = desired_state(driver.sweep).model_copy(update={"parallel_trial_count": 2})
    driver.put(raised)

    def both_supervisors_have_had_trials(_: SweepState) -> bool:
        lines = (tmp_path / "trials.jsonl").read_text().split("\n")[:-1]
        return len({json.loads(line)["worker"] for line in lines}) == 2

    driver.until(both_supervisors_have_had_trials)
    enough = raised.model_copy(update={"max_trial_count": 1})
    driver.put(enough)
    driver.until(lambda state: state.result is not None)
    driver.acknowledge(enough)
