"""Two real operators before one real API server: one writes, another follows it in time, and never do two write.

Each has a proxy of its own, which notes its writes; sweeps are made all the while, so that there is something to write.
"""

import contextlib
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from support.api_server import KubectlError
from support.control_plane import ControlPlane
from support.faulty_proxy import Fault, FaultyProxy, faulty_proxy
from support.operator_process import OperatorProcess
from support.patience import eventually
from support.sweeps import BASE, edited

TAKEOVER_SECONDS = 15.0
HANDOVER_SECONDS = 5.0
AWAY = Fault(drop=True)


class Replica:
    """An operator and its proxy."""

    def __init__(self, plane: ControlPlane, proxy: FaultyProxy, name: str) -> None:
        self.name, self.proxy = name, proxy
        # It writes of what is new: reconciling all again and again would keep the machine busy.
        self.operator = OperatorProcess(plane.folder, proxy.kubeconfig, name, RESYNC_SECONDS="300")

    def writes(self) -> list[tuple[float, str]]:
        """When it wrote."""
        return [
            (request.at, self.name) for request in list(self.proxy.requests) if request.writes and not request.fault
        ]


@pytest.fixture(scope="module")
def replicas(plane: ControlPlane) -> Iterator[list[Replica]]:
    with faulty_proxy(plane, "a") as first, faulty_proxy(plane, "b") as second:
        found = [Replica(plane, first, "a"), Replica(plane, second, "b")]
        try:
            for replica in found:
                replica.operator.start()
            yield found
        finally:
            for replica in found:
                replica.operator.kill()


@pytest.fixture(scope="module")
def busy(plane: ControlPlane, replicas: list[Replica]) -> Iterator[None]:
    """A sweep a second."""
    ended = threading.Event()

    def make() -> None:
        number = 0
        while not ended.wait(1.0):
            number += 1
            sweep = edited(BASE, {"metadata.name": f"sweep-{number}"})
            with contextlib.suppress(KubectlError):  # the next one will do
                plane.kubectl("create", "-f", "-", stdin=json.dumps(sweep))

    thread = threading.Thread(target=make)
    thread.start()
    yield
    ended.set()
    thread.join()


def writes(replicas: list[Replica]) -> list[tuple[float, str]]:
    return sorted(write for replica in replicas for write in replica.writes())


def wrong_writes(replicas: list[Replica]) -> list[tuple[float, str]]:
    """Writes of a replica that, by the API server's account, did not hold the lease."""
    taken = [(at, replica.name if held else "") for replica in replicas for at, held in list(replica.proxy.holdings)]
    events = sorted([*((at, name, True) for at, name in taken), *((at, name, False) for at, name in writes(replicas))])
    found, holder = [], ""
    for at, name, is_claim in events:
        if is_claim:
            holder = name
        elif name != holder:
            found.append((at, name))
    return found


class Stalls:
    """How long the machine has stood still meanwhile, by a thread that wants to be woken every tenth of a second."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        before = time.monotonic()
        while not self._ended.wait(0.1):
            now = time.monotonic()
            self.seconds += max(0.0, now - before - 0.2)
            before = now

    def __enter__(self) -> "Stalls":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


def kill(replica: Replica) -> None:
    replica.operator.kill()


def stop(replica: Replica) -> None:
    assert replica.operator.stop() == 0
    assert replica.operator.logged("the lease was given back")


def cut_off(replica: Replica) -> None:
    replica.proxy.faults = [AWAY]


def freeze(replica: Replica) -> None:
    replica.operator.send(signal.SIGSTOP)


def start(replica: Replica) -> None:
    replica.operator.start()


def connect(replica: Replica) -> None:
    replica.proxy.faults = []


def thaw(replica: Replica) -> None:
    replica.operator.send(signal.SIGCONT)


@pytest.mark.parametrize(
    ("lose", "restore", "seconds"),
    [
        pytest.param(kill, start, TAKEOVER_SECONDS, id="killed"),
        pytest.param(stop, start, HANDOVER_SECONDS, id="stopped"),
        pytest.param(cut_off, connect, TAKEOVER_SECONDS, id="cut off"),
        pytest.param(freeze, thaw, TAKEOVER_SECONDS, id="frozen"),
    ],
)
def test_another_takes_over_and_never_two_write(
    replicas: list[Replica],
    busy: None,
    lose: Callable[[Replica], None],
    restore: Callable[[Replica], None],
    seconds: float,
) -> None:
    first = eventually(lambda: next((r for r in replicas if r.operator.leads()), None), "a leader", every=0.1)
    second = next(replica for replica in replicas if replica is not first)
    before = len(writes(replicas))
    eventually(lambda: len(writes(replicas)) > before, "the leader writes", every=0.1)
    with Stalls() as stalls:
        try:
            lose(first)
            lost = time.monotonic()
            eventually(lambda: second.writes() and second.writes()[-1][0] > lost, "another writes", every=0.05)
            taken = next(at for at, _ in second.writes() if at > lost)
        finally:
            restore(first)
    time.sleep(3)
    eventually(lambda: first.operator.status("readyz") == 200, "the first waits, ready")
    eventually(lambda: sum(replica.operator.leads() for replica in replicas) == 1, "one leads")
    assert wrong_writes(replicas) == []
    print(f"taken over after {taken - lost:.1f} s, while the machine stood still for {stalls.seconds:.1f} s")
    assert taken - lost < seconds + stalls.seconds
