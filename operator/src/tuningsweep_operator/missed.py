"""Deletions that no watch showed: after a list that left out what was known, the API server is asked for each of those.

Called by the handlers whenever a watch has listed anew. Without it a sweep that was deleted while the API server was away,
or while a watch had expired, would be reconciled for ever.
"""

import asyncio
import logging
from typing import Final

from tuningsweep_operator.feed import Feed
from tuningsweep_operator.kube import Kube, KubeError
from tuningsweep_operator.resources import PODS, RAY_JOBS, SWEEPS, Manifest
from tuningsweep_operator.store import Store
from tuningsweep_operator.watches import Name, Watches

SETTLE_SECONDS: Final = 3.0
"""What a list showed is on its way through kopf's workers for so long; what comes later still is asked for in vain."""
RETRY_SECONDS: Final = 5.0

log = logging.getLogger(__name__)


class MissedDeletions:
    """Finds them, one check a list."""

    def __init__(self, kube: Kube, store: Store, watches: Watches, feed: Feed) -> None:
        self._kube, self._store, self._watches, self._feed = kube, store, watches, feed
        self._checks: dict[tuple[str, str | None], asyncio.Task[None]] = {}

    def list_ended(self, kind: str, namespace: str | None) -> None:
        """Check in a moment what the list of a kind left out; a check of an earlier list is given up."""
        before = self._checks.pop((kind, namespace), None)
        if before is not None:
            before.cancel()
        self._checks[kind, namespace] = asyncio.create_task(self._check(kind, namespace))

    async def _check(self, kind: str, namespace: str | None) -> None:
        await asyncio.sleep(SETTLE_SECONDS)
        while missing := self._watches.missing(kind, namespace):
            try:
                for name in missing:
                    await self._ask(kind, name)
            except KubeError as error:
                log.warning("whether %d %s are gone could not be asked: %s", len(missing), kind, error)
                await asyncio.sleep(RETRY_SECONDS)

    async def _ask(self, kind: str, name: Name) -> None:
        known = self._known(kind, name)  # before asking: one made again under the name meanwhile is not gone
        resource = {SWEEPS.plural: SWEEPS, RAY_JOBS.plural: RAY_JOBS, PODS.plural: PODS}[kind]
        if await self._kube.get(resource, *name) is not None:
            self._watches.shown(kind, name)
            return
        log.info("%s %s/%s is gone, which no watch showed", kind, *name)
        if known is None:
            self._watches.gone(kind, name)
            return
        take_in = {SWEEPS.plural: self._feed.sweep, RAY_JOBS.plural: self._feed.ray_job, PODS.plural: self._feed.pod}
        take_in[kind](known, deleted=True)

    def _known(self, kind: str, name: Name) -> Manifest | None:
        if kind == PODS.plural:
            return self._store.find_pod(name)
        return (self._store.sweeps if kind == SWEEPS.plural else self._store.ray_jobs).get(name)
