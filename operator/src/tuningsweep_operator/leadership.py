"""Holds the lease, or waits for it: the I/O around `lease.py`, run by main as long as the operator lives."""

import asyncio
import logging
import socket
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from tuningsweep_operator import metrics
from tuningsweep_operator.kube import Kube, KubeError
from tuningsweep_operator.lease import Election, Record
from tuningsweep_operator.resources import LEASES

log = logging.getLogger(__name__)


def new_identity() -> str:
    """A name no other process has: a container that starts again is not the holder that it was."""
    return f"{socket.gethostname()}_{uuid.uuid4().hex[:8]}"


class Leadership:
    """Keeps an election up to date with the Lease; `gained` is called whenever this replica becomes the one that writes,
    `lost` when it is not any more, but for a lease that it gave back itself."""

    def __init__(
        self,
        kube: Kube,
        election: Election,
        namespace: str,
        name: str,
        *,
        gained: Callable[[], None],
        lost: Callable[[], None],
    ) -> None:
        self._kube, self._election, self._gained, self._lost = kube, election, gained, lost
        self._namespace, self._name = namespace, name
        self._led = False
        self._turns = asyncio.Lock()
        self._over = False

    async def run(self) -> None:
        """Renew or look until cancelled, or until the lease is given back; an API server that can't be reached is asked
        again."""
        while not self._over:
            async with self._turns:
                await self._turn()
            await asyncio.sleep(self._election.wait_seconds(time.monotonic()))

    async def release(self) -> None:
        """Give the lease back, if it is held, so that another replica takes it at once."""
        try:
            # A renewal under way would make this write a conflict, and one that follows would take the lease again.
            async with asyncio.timeout(self._election.terms.request), self._turns:
                self._over = True
                await self._give_back()
        except (KubeError, TimeoutError) as error:
            log.warning(
                "the lease could not be given back, it runs out by itself: %s", str(error) or "no answer in time"
            )

    async def _give_back(self) -> None:
        record = self._election.release(datetime.now(UTC))
        self._led = False
        if record is not None:
            await self._write(record)
            log.info("the lease was given back")

    async def _turn(self) -> None:
        if self._over:
            return
        try:
            await self._ask()
        except KubeError as error:
            log.warning("the lease %s/%s: %s", self._namespace, self._name, error)
        self._note()

    async def _ask(self) -> None:
        if not self._election.leads(time.monotonic()):
            found = await self._kube.get(LEASES, self._namespace, self._name)
            self._election.saw(None if found is None else Record.from_manifest(found), time.monotonic())
        asked_at = time.monotonic()
        if not self._election.may_claim(asked_at):
            return
        try:
            self._election.won(await self._write(self._election.claim(datetime.now(UTC))), asked_at)
        except KubeError as error:
            if error.status not in (404, 409):
                raise
            self._election.lost_sight()

    async def _write(self, record: Record) -> Record:
        manifest = record.manifest(self._namespace, self._name)
        return Record.from_manifest(await self._kube.put_lease(manifest, self._election.terms.request))

    def _note(self) -> None:
        leads = self._election.leads(time.monotonic())
        metrics.LEADING.set(leads)
        if leads and not self._led:
            log.info("this replica holds the lease now: it reconciles")
            self._gained()
        elif self._led and not leads:
            log.warning("this replica does not hold the lease any more: it waits")
            self._lost()
        self._led = leads
