"""Hears from the drivers of running sweeps, for the reconciler: a sweep's driver is asked when its sweep is reconciled, and
between that one request with each driver waits for news, which make the sweep due.

A driver that does not wait, because it is older or in trouble, is asked at every reconcile alone; those then come often.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.status import TuningSweepStatus
from tuningsweep_operator.access import ControlAccess
from tuningsweep_operator.control import Answer, ControlClient
from tuningsweep_operator.driver import driver_address, wanted_of_driver
from tuningsweep_operator.lease import Fence
from tuningsweep_operator.resources import Key
from tuningsweep_operator.settings import Settings
from tuningsweep_operator.status.observation import Observation
from tuningsweep_operator.work_queue import backoff_seconds

log = logging.getLogger(__name__)


def news_seconds(settings: Settings) -> int:
    """How long a request may wait for news: a driver that falls silent meanwhile can still be asked before it is Stalled."""
    return max(1, int(settings.driver_silence_seconds - 2 * settings.driver_timeout_seconds))


@dataclass
class Contact:
    """What is known of one running driver. Times are time.monotonic() and arguments."""

    address: str
    access: ControlAccess | None
    heard_at: float
    tag: str = ""
    """Of the state that was last read; empty for a driver that gives none, which can't be waited with."""
    failures: int = 0
    """Waiting requests in a row that failed."""
    listen_at: float = 0.0
    """Earliest time of the next waiting request."""
    waiting: asyncio.Task[None] | None = field(default=None, repr=False)
    untold: bool = False
    """Whether it has not taken what the sweep says now."""

    def note_untold(self, sweep: TuningSweep, error: str) -> None:
        """Log, once, that the driver did not take what it was told; no error says that it has."""
        if error and not self.untold:
            extra = {"sweep": sweep.metadata.name, "namespace": sweep.metadata.namespace}
            log.warning("the driver does not confirm an edit, it is told again: %s", error, extra=extra)
        self.untold = bool(error)

    def read(self, tag: str, now: float) -> None:
        """The driver's state was read."""
        self.tag, self.heard_at = tag, now
        if not tag:
            self.hang_up()

    def may_listen(self, now: float) -> bool:
        """Whether a waiting request may begin now."""
        return bool(self.tag) and self.waiting is None and now >= self.listen_at

    def listened(self, since: float, now: float, pause: float, error: str) -> None:
        """A waiting request that began at `since` has ended; two of them begin at least `pause` seconds apart."""
        if error:
            self.failures += 1
            self.listen_at = now + max(pause, backoff_seconds(self.failures))
        else:
            self.failures, self.heard_at = 0, now
            self.listen_at = since + pause

    def hang_up(self) -> None:
        """End the waiting request, if there is one."""
        if self.waiting is not None:
            self.waiting.cancel()
            self.waiting = None


class Drivers:
    """The drivers of running sweeps; `due` is called with the key of a sweep whose driver has news, or has gone."""

    def __init__(self, control: ControlClient, settings: Settings, fence: Fence, due: Callable[[Key], None]) -> None:
        self._control, self._settings, self._fence, self._due = control, settings, fence, due
        self._contacts: dict[Key, Contact] = {}

    async def ask(
        self,
        sweep: TuningSweep,
        status: TuningSweepStatus,
        facts: Observation,
        access: ControlAccess | None,
        now: datetime,
    ) -> Answer:
        """The state of a running sweep's driver, which is told what to do if it does not know."""
        key = (sweep.metadata.namespace, sweep.metadata.name)
        contact = self._contact(key, driver_address(sweep, facts), access)
        answer = await self._exchange(contact, sweep, status, now)
        if answer.state is None:
            contact.hang_up()
            return answer
        contact.read(answer.tag, time.monotonic())
        if self._contacts.get(key) is contact and contact.may_listen(contact.heard_at) and self._fence() > 0.0:
            contact.waiting = asyncio.create_task(self._listen(key, contact, contact.access))
        return answer

    def is_listening(self, key: Key) -> bool:
        """Whether the driver's news make the sweep due by themselves."""
        return key in self._contacts and self._contacts[key].waiting is not None

    def silence(self, key: Key) -> float:
        """Seconds since a running driver was last heard, or could not be expected to answer."""
        return time.monotonic() - self._contacts[key].heard_at if key in self._contacts else 0.0

    def leave(self, key: Key) -> None:
        """The sweep's driver does not run, or is of no interest any more."""
        contact = self._contacts.pop(key, None)
        if contact is not None:
            contact.hang_up()

    def forget(self) -> None:
        """Leave all of them: another replica listens now, or this one begins anew."""
        for key in list(self._contacts):
            self.leave(key)

    def _contact(self, key: Key, address: str, access: ControlAccess | None) -> Contact:
        """What is known of the driver there; one at another address, or with another token, is another driver."""
        contact = self._contacts.get(key)
        if contact is None or (contact.address, contact.access) != (address, access):
            self.leave(key)
            contact = self._contacts[key] = Contact(address, access, time.monotonic())
        return contact

    async def _exchange(self, contact: Contact, sweep: TuningSweep, status: TuningSweepStatus, now: datetime) -> Answer:
        if contact.access is None:
            return Answer(error="the Secret with the driver's token can't be applied")
        answer = await self._control.state(contact.address, contact.access)
        desired = wanted_of_driver(sweep, status, now)
        if answer.state is None:
            return answer
        if answer.state.desired_digest != desired.digest():
            told = await self._control.put_desired(contact.address, contact.access, desired)
            # What it has just said of itself counts in any case. Without a tag it is asked, and told, again soon.
            answer = told if told.state is not None else Answer(answer.state, told.error)
        contact.note_untold(sweep, answer.error)
        if answer.state is not None and answer.state.sweep_uid != sweep.metadata.uid:
            return Answer(error="the driver that answers belongs to another sweep")
        return answer

    async def _listen(self, key: Key, contact: Contact, access: ControlAccess | None) -> None:
        """Wait until the driver's state is another one than was read, or it gives no answer."""
        assert access is not None
        pause, answer = self._settings.poll_seconds, Answer(tag=contact.tag)
        try:
            while not answer.error and answer.tag == contact.tag:
                await asyncio.sleep(contact.listen_at - time.monotonic())
                since = time.monotonic()
                answer = await self._control.news(contact.address, access, contact.tag, news_seconds(self._settings))
                contact.listened(since, time.monotonic(), pause, answer.error)
        finally:
            if contact.waiting is asyncio.current_task():  # nobody has hung up
                contact.waiting = None
                self._due(key)
