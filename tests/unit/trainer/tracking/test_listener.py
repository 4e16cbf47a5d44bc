"""Tracking never holds up a trial and loses nothing: what can't be sent is kept and sent first the next time."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from support.patience import PATIENCE
from support.sweeps import BASE, edited
from tuningsweep_api.messages import SweepState
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.results.store import LocalStore
from tuningsweep_trainer.tracking import listener as module
from tuningsweep_trainer.tracking import sender
from tuningsweep_trainer.tracking.events import TrackingEvent
from tuningsweep_trainer.tracking.listener import MlflowListener
from tuningsweep_trainer.tracking.sender import Progress, SenderThread, taking_its_time, waiting_time
from tuningsweep_trainer.tracking.spool import Spool

OBJECTIVE = TuningSweep.from_manifest(edited(BASE, {})).spec.objective
END = SweepState.model_validate(
    {
        "sweepUid": "u",
        "driverId": "d",
        "startTime": "",
        "desiredDigest": "",
        "trials": {},
        "result": {"succeeded": True, "reason": "SearchFinished", "message": ""},
    }
)
EXPECTED = ["started", "reported", "dataset", "sweep"]


def record(trial: str, loss: float, outcome: str = "Succeeded") -> TrialRecord:
    return TrialRecord.model_validate(
        {
            "trial": trial,
            "parameters": {"x": 1},
            "outcome": outcome,
            "reason": "Completed",
            "metrics": {"validation_loss": loss},
            "completionTime": "2026-01-02T03:04:05Z",
        }
    )


class Server:
    """Stands for MLflow: takes events, or refuses the first `refusals` requests."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals = refusals
        self.got: list[TrackingEvent] = []

    def send(self, events: Sequence[TrackingEvent]) -> None:
        if self.refusals > 0:
            self.refusals -= 1
            raise ConnectionError("503 from http://user:hunter2@server")
        self.got += events


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GATHER_SECONDS", 0.02)
    monkeypatch.setattr(sender, "GATHER_SECONDS", 0.02)
    monkeypatch.setattr(sender, "FIRST_WAIT", 0.001)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(LocalStore(tmp_path))


def listener_of(connect: Callable[..., Server], spool: Spool, **options: object) -> MlflowListener:
    return MlflowListener(SenderThread(connect, spool), spool, OBJECTIVE, **options)  # type: ignore[arg-type]


def told(server: Server, spool: Spool) -> None:
    listener = listener_of(lambda *_: server, spool)
    listener.start()
    listener.trial_started("trial-0000", {"x": 1})
    listener.trial_reported("trial-0000", {"loss": 0.5}, 10)
    listener.sweep_ended(END)


def kept(spool: Spool) -> list[TrackingEvent]:
    events: list[TrackingEvent] = []
    for name in spool.oldest(1 << 20):
        events += spool.read(name)
        spool.done(name)
    return events


def test_everything_arrives_in_order(spool: Spool) -> None:
    server = Server()
    told(server, spool)
    assert [event.kind for event in server.got] == EXPECTED
    assert spool.files == 0


def test_a_passing_fault_loses_nothing(spool: Spool) -> None:
    server = Server(refusals=2)
    told(server, spool)
    assert [event.kind for event in server.got] == EXPECTED
    assert spool.files == 0


def test_a_server_that_is_down_leaves_everything_in_the_spool_and_one_line_without_secrets_in_the_log(
    spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        told(Server(refusals=10_000), spool)
    assert [event.kind for event in kept(spool)] == EXPECTED
    assert [line for line in caplog.messages if "can't be told" in line] == [
        "MLflow can't be told; events are kept and it is tried again, ever more rarely: ConnectionError: 503 from http://server"
    ]
    assert "hunter2" not in caplog.text


def test_what_was_kept_is_sent_first(spool: Spool) -> None:
    spool.put([TrackingEvent.now("reported", trial="trial-0009")])
    server = Server()
    told(server, spool)
    assert server.got[0].trial == "trial-0009"


def test_a_hanging_server_holds_up_the_end_only_so_long_and_its_events_are_kept(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "END_SECONDS", 0.5)
    release = threading.Event()

    class Hanging(Server):
        def send(self, events: Sequence[TrackingEvent]) -> None:
            release.wait(30)

    told(Hanging(), spool)
    assert [event.kind for name in sorted(spool._files) for event in spool.read(name)] == EXPECTED
    release.set()


def test_what_takes_its_time_and_says_so_is_waited_for(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading MLflow at first, and a large model at the end."""
    monkeypatch.setattr(sender, "END_SECONDS", 0.2)
    server = Server()

    class Uploading:
        def __init__(self, _: int, progress: Progress) -> None:
            self._progress = progress

        def send(self, events: Sequence[TrackingEvent]) -> None:
            with taking_its_time(self._progress):
                time.sleep(1.0)
            server.send(events)

    thread = SenderThread(Uploading, spool, load=lambda: time.sleep(1.0))
    listener = MlflowListener(thread, spool, OBJECTIVE, losses_in_logs=False, history=[])
    listener.start()
    listener.sweep_ended(END)
    assert [event.kind for event in server.got] == ["sweep"]


def test_events_in_memory_are_bounded_and_only_points_of_curves_are_left_out(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUEUE_SIZE", 5)
    server = Server()
    listener = listener_of(lambda *_: server, spool)
    for number in range(20):
        listener.trial_reported("trial-0000", {"loss": 0.5}, number)
        listener.trial_ended(record(f"trial-{number:04d}", loss=1.0))
    listener.start()
    listener.sweep_ended(END)
    assert sum(event.kind == "ended" for event in server.got) == 20
    assert sum(event.kind == "reported" for event in server.got) < 6


def test_a_disk_that_is_full_for_a_while_loses_nothing(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    put, refused = spool.put, threading.Event()

    def refusing(events: Sequence[TrackingEvent]) -> None:
        if not refused.is_set():
            refused.set()
            raise OSError(28, "No space left on device")
        put(events)

    monkeypatch.setattr(spool, "put", refusing)
    server = Server()
    listener = listener_of(lambda *_: server, spool)
    listener.start()
    listener.trial_started("trial-0000", {"x": 1})
    assert refused.wait(PATIENCE)
    listener.sweep_ended(END)
    assert [event.kind for event in server.got] == ["started", "sweep"]


def test_a_restarted_driver_tells_what_ended_once_more(spool: Spool) -> None:
    server = Server()
    listener = listener_of(lambda *_: server, spool, history=[record(f"trial-{n:04d}", 1.0) for n in range(500)])
    listener.start()
    listener.sweep_ended(END)
    ended = [event for event in server.got if event.kind == "ended"]
    assert [ended[0].trial, ended[-1].trial, len(ended)] == ["trial-0300", "trial-0499", 200]
    assert ended[0].tags["tuningsweep.outcome"] == "Succeeded"


def test_the_parent_has_a_point_for_each_best_trial_and_no_more(spool: Spool) -> None:
    server = Server()
    listener = listener_of(lambda *_: server, spool, history=[record("trial-0000", 5.0)])
    listener.start()
    for number, (loss, outcome) in enumerate(
        [(6.0, "Succeeded"), (4.0, "Succeeded"), (1.0, "Stopped"), (4.0, "Pruned")]
    ):
        listener.trial_ended(record(f"trial-{number + 1:04d}", loss, outcome))
    listener.sweep_ended(END)
    points = [(event.step, event.metrics) for event in server.got if event.kind == "reported"]
    assert points == [(3, {"best_objective": 4.0})]


def test_waiting_grows_to_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "FIRST_WAIT", 1.0)
    assert [waiting_time(failures) for failures in (1, 2, 3, 6, 7, 5_000)] == [1, 2, 4, 32, 60, 60]
