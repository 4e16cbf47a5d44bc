"""Tracking never holds up a trial and loses nothing: what can't be sent is kept and sent first the next time."""

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


def test_a_hanging_server_holds_up_nothing_but_the_end_and_that_only_so_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "END_SECONDS", 0.2)
    release = threading.Event()

    class Hanging(Server):
        def send(self, events: Sequence[TrackingEvent]) -> None:
            release.wait(30)

    told(Hanging(), Spool(tmp_path / "spool"))
    release.set()


def test_torn_lines_of_the_spool_are_dropped(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.put([TrackingEvent.now("reported", trial="trial-0001")])
    with spool.path.open("a") as file:
        file.write('{"kind": "repor')
    assert [event.trial for event in spool.take()] == ["trial-0001"]
