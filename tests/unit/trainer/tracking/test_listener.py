"""Tracking never holds up a trial and loses nothing: what can't be sent is kept and sent first the next time."""

import math
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from tuningsweep_api.messages import SweepState
from tuningsweep_trainer.tracking import listener as module
from tuningsweep_trainer.tracking.events import Spool, TrackingEvent
from tuningsweep_trainer.tracking.listener import MlflowListener

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


class Server:
    """Stands for MLflow: takes events, or refuses the first `refusals` requests."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals = refusals
        self.got: list[TrackingEvent] = []

    def send(self, events: Sequence[TrackingEvent]) -> None:
        if self.refusals > 0:
            self.refusals -= 1
            raise ConnectionError("503")
        self.got += events


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GATHER_SECONDS", 0.02)
    monkeypatch.setattr(module, "FIRST_WAIT", 0.001)


def told(server: Server, spool: Spool) -> None:
    listener = MlflowListener(lambda: server, spool)  # type: ignore[arg-type, return-value]
    listener.start()
    listener.trial_started("trial-0000", {"x": 1})
    listener.trial_reported("trial-0000", {"loss": 0.5}, 10)
    listener.sweep_ended(END)


def test_everything_arrives_in_order(tmp_path: Path) -> None:
    server = Server()
    told(server, Spool(tmp_path / "spool"))
    assert [event.kind for event in server.got] == ["started", "reported", "sweep"]


def test_a_passing_fault_loses_nothing(tmp_path: Path) -> None:
    server = Server(refusals=2)
    told(server, Spool(tmp_path / "spool"))
    told(server, Spool(tmp_path / "spool"))
    assert [event.kind for event in server.got] == ["started", "reported", "sweep"] * 2
    assert not (tmp_path / "spool").exists()


def test_a_server_that_is_down_leaves_everything_in_the_spool(tmp_path: Path) -> None:
    told(Server(refusals=10_000), Spool(tmp_path / "spool"))
    assert [event.kind for event in Spool(tmp_path / "spool").take()] == ["started", "reported", "sweep"]


def test_what_was_kept_is_sent_first(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.put([TrackingEvent.now("reported", trial="trial-0009")])
    server = Server()
    told(server, spool)
    assert server.got[0].trial == "trial-0009"


def test_torn_lines_of_the_spool_are_dropped(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.put([TrackingEvent.now("reported", trial="trial-0001")])
    with spool.path.open("a") as file:
        file.write('{"kind": "repor')
    assert [event.trial for event in spool.take()] == ["trial-0001"]


def test_a_crash_while_the_spool_is_sent_loses_nothing(tmp_path: Path) -> None:
    Spool(tmp_path / "spool").put([TrackingEvent.now("reported", trial="trial-0001")])
    Spool(tmp_path / "spool").take()
    again = Spool(tmp_path / "spool")
    assert [event.trial for event in again.take()] == ["trial-0001"]
    again.sent()
    assert again.take() == []


def test_metrics_that_are_no_numbers_survive_the_spool(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.put([TrackingEvent.now("reported", trial="t", metrics={"loss": float("nan"), "best": float("inf")})])
    (event,) = spool.take()
    assert math.isnan(event.metrics["loss"])
    assert math.isinf(event.metrics["best"])


def test_a_hanging_server_holds_up_the_end_only_so_long_and_its_events_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "END_SECONDS", 0.5)
    release = threading.Event()

    class Hanging(Server):
        def send(self, events: Sequence[TrackingEvent]) -> None:
            release.wait(30)

    told(Hanging(), Spool(tmp_path / "spool"))
    assert [event.kind for event in Spool(tmp_path / "spool").take()] == ["started", "reported", "sweep"]
    release.set()


def test_a_full_queue_never_blocks_the_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUEUE_SIZE", 2)
    server = Server()
    listener = MlflowListener(lambda: server, Spool(tmp_path / "spool"))  # type: ignore[arg-type, return-value]
    for step in range(5):
        listener.trial_reported("trial-0000", {"loss": 0.5}, step)
    listener.start()
    listener.sweep_ended(END)
    told = [*server.got, *Spool(tmp_path / "spool").take()]  # what found no room in the queue may wait for the next run
    assert {event.step for event in told if event.kind == "reported"} == set(range(5))
    assert [event.kind for event in told].count("sweep") == 1
