"""Drivers of many sweeps without Ray, in a process of their own: the real control API, conductor and book of each, on an
address of its own on loopback, fed with synthetic trials that end at a steady rate.
"""

import asyncio
import heapq
import time
from base64 import b64decode
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any, Final, cast

from benchmarks.operator_scale.client import Access, items
from benchmarks.operator_scale.objects import NAMESPACE, driver_host, sweep_name
from tuningsweep_api import names
from tuningsweep_api.messages import DesiredState, desired_state
from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_operator.resources import SECRETS, SWEEPS, Manifest
from tuningsweep_trainer.driver.archive import Archive
from tuningsweep_trainer.driver.book import Book
from tuningsweep_trainer.driver.conductor import TURN_SECONDS, Conductor
from tuningsweep_trainer.driver.control import ControlServer
from tuningsweep_trainer.driver.listeners import Listeners
from tuningsweep_trainer.driver.options import ControlOptions
from tuningsweep_trainer.driver.proposals import make_proposer
from tuningsweep_trainer.driver.search_space import Parameters
from tuningsweep_trainer.node.runtime import TrialStatus
from tuningsweep_trainer.results.ledger import Ledger
from tuningsweep_trainer.results.store import LocalStore
from tuningsweep_trainer.supervisor.result import TrialResult

START_SECONDS: Final = 300.0
STOP_EVERY: Final = 4
"""Of so many trials one ends over its memory limit, which is another Event and stop in the status; the others succeed."""


@dataclass(frozen=True, slots=True)
class End:
    """The `count`-th trial of a sweep has ended, time.monotonic()."""

    sweep: str
    count: int
    at: float


class _NoNodes:
    """Stands for the fleet of a driver whose trials nobody trains."""

    nodes = 1

    def order(self, _: object) -> None:
        """Nobody takes orders."""

    def meet_nodes(self) -> None:
        """None come."""

    def observe(self, _: object) -> dict[str, TrialStatus]:
        """Nothing is observed."""
        return {}


class _Conductor(Conductor):
    """Takes its turns when it is told to: a thousand threads that do so twice a second would be what is measured."""

    def __init__(self, sweep: TuningSweep, book: Book) -> None:
        super().__init__(sweep, book, cast("Any", _NoNodes()), "bench", None, None)
        self.delivered: dict[str, float] = {}
        """When each limit on trial durations came, as it is written in the spec."""

    def edit(self, desired: DesiredState, digest: str) -> None:
        """Put a desired state in force, and take a turn at once, as an edit wakes the thread."""
        super().edit(desired, digest)
        self.delivered.setdefault(str(desired.limits.trial_duration), time.monotonic())
        self.turn()


class _Driver:
    """One sweep's driver."""

    def __init__(self, sweep: TuningSweep, secret: Manifest, number: int, folder: Path) -> None:
        folder.mkdir(parents=True)
        store, archive = LocalStore(folder), Archive([])
        self._name = sweep.metadata.name
        proposer = make_proposer(sweep.spec, 0)
        self._book = Book(sweep, Ledger(store), proposer, Listeners([archive]), desired_state(sweep))
        self._running: deque[tuple[str, Parameters]] = deque()
        self._ended = 0
        self.conductor = _Conductor(sweep, self._book)
        self.server = ControlServer(self.conductor, archive, store, _options(secret, number, folder))
        self._start_trials()
        self.conductor.turn()

    def end_trial(self) -> End:
        """The trial that has run longest ends, and another one starts."""
        at = time.monotonic()
        name, parameters = self._running.popleft()
        self._ended += 1
        self._book.ended(name, parameters, _result(name, self._ended))
        self._start_trials()
        return End(self._name, self._ended, at)

    def _start_trials(self) -> None:
        while assigned := self._book.next_trial():
            self._book.started(*assigned)
            self._running.append(assigned)


def _result(trial: str, count: int) -> TrialResult:
    common: dict[str, Any] = {"process": trial, "steps": 2000, "duration_seconds": 120.0, "peak_memory": 300 << 20}
    if count % STOP_EVERY == 0:
        over = {"observed": float(401 << 20), "limit": float(400 << 20)}
        return TrialResult(outcome=Outcome.LIMIT_EXCEEDED, reason=Reason.MEMORY_LIMIT_EXCEEDED, **common, **over)
    return TrialResult(
        outcome=Outcome.SUCCEEDED, reason=Reason.COMPLETED, metrics={"validation_loss": 1.0 / count}, **common
    )


def _options(secret: Manifest, number: int, folder: Path) -> ControlOptions:
    """What the head pod mounts of the sweep's Secret."""
    data = {key: b64decode(text) for key, text in secret["data"].items()}
    for key in (names.CERTIFICATE_KEY, names.PRIVATE_KEY_KEY):
        (folder / key).write_bytes(data[key])
    certificate, private_key = str(folder / names.CERTIFICATE_KEY), str(folder / names.PRIVATE_KEY_KEY)
    token = data[names.TOKEN_KEY].decode()
    return ControlOptions(token, certificate, private_key, host=driver_host(number), port=names.CONTROL_PORT)


class Drivers:
    """The process with the drivers, as seen from outside."""

    def __init__(self, connection: "Connection[Any, Any]") -> None:
        self._connection = connection

    def feed(self, seconds: float, ends_per_second: float) -> list[End]:
        """Let trials end, one sweep after the other; returns when the last one has."""
        self._connection.send((seconds, ends_per_second))
        return list(self._connection.recv())

    def delivered(self) -> dict[str, float]:
        """When each limit on trial durations came to a driver first, time.monotonic()."""
        self._connection.send("delivered")
        return dict(self._connection.recv())


@contextmanager
def serving_drivers(access: Access, count: int, folder: Path) -> Iterator[Drivers]:
    """Drivers of the sweeps that are there, until the block ends; RuntimeError if they can't be started."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, access, count, folder), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(START_SECONDS) or ours.recv() != "ready":
            raise RuntimeError("the drivers could not be started")
        yield Drivers(ours)
    except EOFError:
        raise RuntimeError("the process with the drivers has ended") from None
    finally:
        ours.close()
        process.join(30)
        process.kill()


def _serve(connection: "Connection[Any, Any]", access: Access, count: int, folder: Path) -> None:
    """Serve until the other end is closed."""
    sweeps, secrets = asyncio.run(_found(access))
    drivers = []
    for number in range(count):
        name = sweep_name(number)
        drivers.append(_Driver(sweeps[name], secrets[f"{name}-control"], number, folder / name))
    with ExitStack() as stack:
        for driver in drivers:
            driver.server.start()
            stack.callback(driver.server.stop)
        connection.send("ready")
        while True:
            try:
                asked = connection.recv()
            except EOFError:
                return
            if asked == "delivered":
                connection.send({text: at for d in drivers for text, at in d.conductor.delivered.items()})
            else:
                connection.send(_feed(drivers, *asked))


async def _found(access: Access) -> tuple[dict[str, TuningSweep], dict[str, Manifest]]:
    async with access.session() as session:
        sweeps = [TuningSweep.from_stored(found) for found in await items(session, SWEEPS.path(NAMESPACE))]
        secrets = await items(session, SECRETS.path(NAMESPACE))
    return {sweep.metadata.name: sweep for sweep in sweeps}, {found["metadata"]["name"]: found for found in secrets}


def _feed(drivers: list[_Driver], seconds: float, ends_per_second: float) -> list[End]:
    """End trials at a steady rate; the conductor's turn that shows it comes up to TURN_SECONDS later, as by itself."""
    started, random = time.monotonic(), Random(0)
    todo = [(started + number / ends_per_second, number, True) for number in range(int(seconds * ends_per_second))]
    ends = []
    while todo:
        due, number, is_end = heapq.heappop(todo)
        time.sleep(max(0.0, due - time.monotonic()))
        driver = drivers[number % len(drivers)]
        if is_end:
            ends.append(driver.end_trial())
            heapq.heappush(todo, (due + random.uniform(0.0, TURN_SECONDS), number, False))
        else:
            driver.conductor.turn()
    return ends
