"""A driver without Ray whose storage, or a listener, keeps it waiting until the test opens the gate."""

import threading
import urllib.request
from pathlib import Path
from typing import Any, cast

from support.patience import PATIENCE
from support.sweeps import sweep_manifest
from tuningsweep_api.messages import DesiredState, SweepState, TrialPage, desired_state
from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.driver.archive import Archive
from tuningsweep_trainer.driver.book import Book
from tuningsweep_trainer.driver.conductor import Conductor
from tuningsweep_trainer.driver.control import ControlServer
from tuningsweep_trainer.driver.listeners import Listeners
from tuningsweep_trainer.driver.options import ControlOptions
from tuningsweep_trainer.driver.proposals import make_proposer
from tuningsweep_trainer.node.runtime import Orders
from tuningsweep_trainer.results.desired import DesiredFile
from tuningsweep_trainer.results.ledger import Ledger
from tuningsweep_trainer.results.store import LocalStore
from tuningsweep_trainer.supervisor.result import TrialResult

SWEEP = TuningSweep.from_manifest(sweep_manifest())
FIRST = "trial-0000"


class Gate:
    """Whoever comes waits until it is opened."""

    def __init__(self) -> None:
        self._reached, self._open = threading.Event(), threading.Event()

    def wait(self) -> None:
        self._reached.set()
        assert self._open.wait(PATIENCE)

    def until_reached(self) -> None:
        assert self._reached.wait(PATIENCE)

    def open(self) -> None:
        self._open.set()


class SlowStore(LocalStore):
    """What is written to one file waits at the gate."""

    def __init__(self, root: Path, gate: Gate) -> None:
        super().__init__(root)
        self.slow, self.gate = "", gate
        self.written: list[str] = []

    def write(self, path: str, content: bytes) -> None:
        self._pass(path)
        super().write(path, content)

    def append(self, path: str, line: bytes, *, durable: bool = True) -> None:
        self._pass(path)
        super().append(path, line, durable=durable)

    def _pass(self, path: str) -> None:
        self.written.append(path)
        if path == self.slow:
            self.gate.wait()


class Fleet:
    """Of no nodes, which remembers the last orders."""

    nodes = 1

    def __init__(self) -> None:
        self.orders: Orders | None = None

    def order(self, orders: Orders) -> None:
        self.orders = orders

    def meet_nodes(self) -> None:
        pass

    def observe(self, _: object) -> dict[str, Any]:
        return {}


class SlowListener:
    """Waits at the gate when a trial ends."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def trial_started(self, *_: Any) -> None:
        pass

    def trial_reported(self, *_: Any) -> None:
        pass

    def trial_ended(self, _: TrialRecord) -> None:
        self._gate.wait()

    def sweep_ended(self, _: SweepState) -> None:
        pass


class Driver:
    """Book, conductor and control API over a store, with the threads of a test in place of Tune and the conductor's own."""

    def __init__(self, store: LocalStore, *listeners: Any) -> None:
        archive = Archive([])
        self.fleet, self.file = Fleet(), DesiredFile(store)
        proposer, told = make_proposer(SWEEP.spec, 0), Listeners([archive, *listeners])
        self.book = Book(SWEEP, Ledger(store), proposer, told, desired_state(SWEEP))
        self.conductor = Conductor(SWEEP, self.book, cast("Any", self.fleet), "driver", None, self.file)
        options = ControlOptions("token", host="127.0.0.1", port=0)
        self.server = ControlServer(self.conductor, archive, store, options)

    def call(self, path: str, body: bytes | None = None) -> bytes:
        url, headers = f"http://127.0.0.1:{self.server.port}{path}", {"Authorization": "Bearer token"}
        request = urllib.request.Request(url, body, headers, method="GET" if body is None else "PUT")
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.read()

    def state(self) -> SweepState:
        return SweepState.model_validate_json(self.call("/v1/state"))

    def put(self, desired: DesiredState) -> SweepState:
        return SweepState.model_validate_json(self.call("/v1/desired", desired.model_dump_json(by_alias=True).encode()))

    def start(self) -> None:
        assigned = self.book.next_trial()
        assert assigned is not None
        self.book.started(*assigned)

    def end(self, **fields: Any) -> None:
        said = TrialResult(process="p", outcome=Outcome.SUCCEEDED, reason=Reason.COMPLETED, **fields)
        self.book.ended(FIRST, {"batch_size": 30, "learning_rate": 0.1}, said)

    def told(self) -> tuple[Any, ...]:
        """What the sweep's status and Events are made of, and the records that the command line gets."""
        state = self.state()
        total = TrialPage.model_validate_json(self.call("/v1/trials")).total
        return state.trials, state.warning_count, state.optimal_trial, state.recent_stops, total
