"""Two real operators before one real API server: one writes, another follows it in time, and never do two write.

Each has a proxy of its own, which notes its writes; sweeps are made all the while, so that there is something to write.
"""

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from itertools import groupby

import pytest

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
        self.operator = OperatorProcess(plane.folder, proxy.kubeconfig, name)

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
            plane.kubectl("create", "-f", "-", stdin=json.dumps(edited(BASE, {"metadata.name": f"sweep-{number}"})))

    thread = threading.Thread(target=make)
    thread.start()
    yield
    ended.set()
    thread.join()


def writes(replicas: list[Replica]) -> list[tuple[float, str]]:
    return sorted(write for replica in replicas for write in replica.writes())


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
    began = time.monotonic()
    try:
        lose(first)
        lost = time.monotonic()
        eventually(lambda: second.writes() and second.writes()[-1][0] > lost, "another writes", every=0.05)
        taken = next(at for at, _ in second.writes() if at > lost)
    finally:
        restore(first)
    time.sleep(3)
    since = [name for at, name in writes(replicas) if at > began]
    assert [name for name, _ in groupby(since)] in ([first.name, second.name], [second.name])
    assert second.operator.leads()
    eventually(lambda: first.operator.status("readyz") == 200, "the first waits, ready")
    assert not first.operator.leads()
    print(f"taken over after {taken - lost:.1f} s")
    assert taken - lost < seconds
