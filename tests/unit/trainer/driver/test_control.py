"""The driver's control API: of a later operator's edit what is known takes hold, no edit is lost by a full disk, and no
request keeps the driver that leaves."""

import asyncio
import json
import logging
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp import web

from support.patience import PATIENCE
from support.sweeps import sweep_manifest
from tuningsweep_api.messages import SweepState, desired_state, told_digest
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.driver import control
from tuningsweep_trainer.driver.book import Book
from tuningsweep_trainer.driver.conductor import Conductor
from tuningsweep_trainer.driver.control import ControlServer
from tuningsweep_trainer.driver.listeners import Listeners
from tuningsweep_trainer.driver.options import ControlOptions
from tuningsweep_trainer.driver.proposals import make_proposer
from tuningsweep_trainer.results.desired import DesiredFile
from tuningsweep_trainer.results.ledger import Ledger
from tuningsweep_trainer.results.store import LocalStore

NOWHERE = cast("Any", None)
SWEEP = TuningSweep.from_manifest(sweep_manifest())


@pytest.fixture
def book(tmp_path: Path) -> Book:
    ledger = Ledger(LocalStore(tmp_path))
    return Book(SWEEP, ledger, make_proposer(SWEEP.spec, 0), Listeners([]), desired_state(SWEEP))


@pytest.fixture
def desired_file(tmp_path: Path) -> DesiredFile:
    return DesiredFile(LocalStore(tmp_path))


def started(book: Book, desired_file: DesiredFile) -> ControlServer:
    conductor = Conductor(SWEEP, book, NOWHERE, "driver", None, desired_file)
    server = ControlServer(conductor, NOWHERE, NOWHERE, ControlOptions("token", host="127.0.0.1", port=0))
    server.start()
    return server


@pytest.fixture
def server(book: Book, desired_file: DesiredFile) -> Iterator[ControlServer]:
    server = started(book, desired_file)
    yield server
    server.stop()


def put(server: ControlServer, wanted: dict[str, Any]) -> SweepState:
    url, headers = f"http://127.0.0.1:{server.port}/v1/desired", {"Authorization": "Bearer token"}
    request = urllib.request.Request(url, json.dumps(wanted).encode(), headers, method="PUT")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return SweepState.model_validate_json(answer.read())


def test_a_later_operators_edit_takes_hold(
    server: ControlServer, book: Book, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("tuningsweep_trainer"), "propagate", True)
    wanted = desired_state(SWEEP).dump()
    limits = {**SWEEP.spec.limits.dump(), "memory": "300Mi"}
    assert put(server, {**wanted, "limits": limits}).desired_digest == told_digest(
        json.dumps({**wanted, "limits": limits})
    )
    assert "later release" not in caplog.text

    later = {**wanted, "limits": {**limits, "memory": "200Mi", "disk": "1Gi"}, "note": "new"}
    assert put(server, later).desired_digest == told_digest(json.dumps(later)), "it would be told again every second"
    assert book.desired.limits.memory == "200Mi"
    assert "limits.disk, note" in caplog.text


def test_an_edit_that_can_not_be_kept_holds_and_is_kept_when_it_is_sent_again(
    server: ControlServer, book: Book, desired_file: DesiredFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError("no space left on device")

    wanted = {**desired_state(SWEEP).dump(), "limits": {**SWEEP.spec.limits.dump(), "memory": "300Mi"}}
    with monkeypatch.context() as disk:
        disk.setattr(LocalStore, "write", full)
        with pytest.raises(urllib.error.HTTPError, match="507"):
            put(server, wanted)
    assert book.desired.limits.memory == "300Mi"
    put(server, wanted)
    kept = desired_file.read()
    assert kept is not None
    assert kept.limits.memory == "300Mi"


class SlowTraces:
    """Traces whose storage does not answer until it is told to."""

    def __init__(self) -> None:
        self.asked, self.free = threading.Event(), threading.Event()

    def __call__(self, *_: Any) -> list[Any]:
        self.asked.set()
        self.free.wait(PATIENCE)
        return []

    def ask(self, server: ControlServer) -> threading.Thread:
        """A client that waits for them until it is let go."""
        url, headers = f"http://127.0.0.1:{server.port}/v1/traces/trial-0000", {"Authorization": "Bearer token"}

        def wait() -> None:
            with suppress(OSError):
                urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=PATIENCE)

        client = threading.Thread(target=wait, daemon=True)
        client.start()
        assert self.asked.wait(PATIENCE)
        return client


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowTraces]:
    slow = SlowTraces()
    monkeypatch.setattr(control, "read_traces", slow)
    yield slow
    slow.free.set()


def test_a_request_in_progress_is_cut_short_when_the_driver_leaves(
    book: Book, desired_file: DesiredFile, traces: SlowTraces, monkeypatch: pytest.MonkeyPatch
) -> None:
    patience: list[float] = []
    make = web.AppRunner

    def making(*arguments: Any, **options: Any) -> web.AppRunner:
        patience.append(options["shutdown_timeout"])
        return make(*arguments, **options)

    monkeypatch.setattr(web, "AppRunner", making)
    monkeypatch.setattr(control, "SHUTDOWN_SECONDS", 0.1)
    monkeypatch.setattr(control, "STOP_SECONDS", PATIENCE)
    server = started(book, desired_file)
    client = traces.ask(server)
    server.stop()
    assert patience == [0.1]
    assert not server._thread.is_alive()
    client.join(PATIENCE)
    assert not client.is_alive()


def test_what_can_not_be_cut_short_is_left_behind(
    book: Book, desired_file: DesiredFile, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(logging.getLogger("tuningsweep_trainer"), "propagate", True)
    monkeypatch.setattr(web.AppRunner, "cleanup", never)
    monkeypatch.setattr(control, "STOP_SECONDS", 0.1)
    server = started(book, desired_file)
    server.stop()
    assert "the driver leaves without them" in caplog.text
    server._thread.join(PATIENCE)
    assert not server._thread.is_alive()
    (left,) = asyncio.all_tasks(server._loop)
    left.cancel()
    with suppress(asyncio.CancelledError):
        server._loop.run_until_complete(left)
