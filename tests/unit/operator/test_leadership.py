"""A lease given back stays free: whatever request about it was under way, and the API server may be slow or gone."""

import asyncio
import logging
from typing import Any

import pytest

from support.patience import PATIENCE
from tuningsweep_operator.kube import KubeError
from tuningsweep_operator.leadership import Leadership
from tuningsweep_operator.lease import NOBODY, Election, Terms
from tuningsweep_operator.resources import Manifest, Resource

TERMS = Terms(1.0)


class Patient(Terms):
    """With requests that may take their time."""

    request = PATIENCE
    writing = PATIENCE
    renewal = 0.05


class Lease:
    """The API server's half: one Lease, whose writes must name its version; each request waits while the gate is shut."""

    def __init__(self) -> None:
        self.stored: Manifest | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = asyncio.Event()

    async def get(self, _: Resource, __: str, ___: str) -> Manifest | None:
        await self._answer()
        return self.stored

    async def put_lease(self, lease: Manifest, _: float) -> Manifest:
        await self._answer()
        if lease["metadata"].get("resourceVersion") != self._version():
            raise KubeError(409, "the object has been modified")
        after = str(int(self._version() or 0) + 1)
        self.stored = {**lease, "metadata": {**lease["metadata"], "resourceVersion": after}}
        return self.stored

    def holder(self) -> str:
        assert self.stored is not None
        return str(self.stored["spec"]["holderIdentity"])

    def _version(self) -> str | None:
        return None if self.stored is None else self.stored["metadata"]["resourceVersion"]

    async def _answer(self) -> None:
        self.asked.set()
        await self.gate.wait()


async def leading(lease: Any, terms: Terms = TERMS) -> tuple[Leadership, Election, asyncio.Task[None]]:
    election, gained = Election("a", terms), asyncio.Event()
    leadership = Leadership(lease, election, "ns", "lease", gained=gained.set, lost=lambda: None)
    task = asyncio.create_task(leadership.run())
    await gained.wait()
    return leadership, election, task


async def test_a_renewal_under_way_does_not_keep_the_lease() -> None:
    lease = Lease()
    leadership, election, task = await leading(lease, Patient(1.0))
    lease.asked.clear()
    lease.gate.clear()
    await lease.asked.wait()  # the renewal
    release = asyncio.create_task(leadership.release())
    await asyncio.sleep(0)
    lease.gate.set()
    await release
    assert lease.holder() == NOBODY
    assert election.writing_seconds(0.0) == 0.0
    await asyncio.wait_for(task, PATIENCE)


async def test_no_renewal_takes_again_what_is_being_given_back() -> None:
    lease = Lease()
    leadership, _, task = await leading(lease, Patient(1.0))
    lease.gate.clear()
    release = asyncio.create_task(leadership.release())
    await asyncio.sleep(4 * Patient.renewal)  # when it would be renewed
    lease.gate.set()
    await release
    await asyncio.wait_for(task, PATIENCE)
    assert lease.holder() == NOBODY


async def test_an_api_server_that_does_not_answer_holds_nobody_up(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    lease = Lease()
    leadership, _, task = await leading(lease)
    lease.gate.clear()
    await leadership.release()
    assert caplog.messages[-1] == "the lease could not be given back, it runs out by itself: no answer in time"
    task.cancel()
