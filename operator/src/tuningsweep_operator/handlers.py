"""The one module that knows kopf: watches feed the operator, nothing more. No daemons, no finalizers."""

import asyncio
import itertools
import logging
import time
from collections.abc import Callable, Collection, Iterator
from types import SimpleNamespace
from typing import Any, Final

import aiohttp
import kopf
from kopf._cogs.clients.scanning import scan_resources
from kopf._cogs.structs.bodies import RawEvent
from kopf._cogs.structs.references import Insights
from kopf._core.reactor.observation import process_discovered_resource_event

from tuningsweep_api import names
from tuningsweep_operator.feed import Feed
from tuningsweep_operator.missed import MissedDeletions
from tuningsweep_operator.resources import PODS, RAY_JOBS, SWEEPS, WORKLOADS, Resource
from tuningsweep_operator.settings import Settings
from tuningsweep_operator.watch_stream import Pauses, fit
from tuningsweep_operator.watches import Watches

WATCHED: Final = frozenset({SWEEPS.plural, RAY_JOBS.plural, PODS.plural})
"""Without these there is no work."""
KINDS: Final = WATCHED | {WORKLOADS.plural}
"""Kueue's too, where it is installed."""
LATE: Final = (SWEEPS, RAY_JOBS, WORKLOADS)
"""Kinds that may be installed after the operator."""
LATE_SECONDS: Final = 10.0
WORKER_IDLE_SECONDS = 0.01
"""Handlers return at once, so there is nothing to keep a task for."""

log = logging.getLogger(__name__)


class NoDiffs(kopf.DiffBaseStorage):
    """Keeps no last-handled state: there are no change handlers, and kopf would copy every object for it at every event."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        """Nothing of an object is compared."""
        return {}

    def fetch(self, **_: Any) -> None:
        """Nothing is stored."""

    def store(self, **_: Any) -> None:
        """Nothing to store."""


class NoProgress(kopf.ProgressStorage):
    """Keeps no progress of handlers: those of events have none."""

    def fetch(self, **_: Any) -> None:
        """Nothing is stored."""

    def store(self, **_: Any) -> None:
        """Nothing to store."""

    def purge(self, **_: Any) -> None:
        """Nothing to take out."""

    def touch(self, **_: Any) -> None:
        """Nothing to change."""

    def clear(self, *, essence: kopf.BodyEssence) -> kopf.BodyEssence:
        """As it is."""
        return essence


class Backoffs:
    """Seconds between tries of kopf's requests, without an end: by default it gives up, and the operator ends, after 54 s."""

    def __iter__(self) -> Iterator[float]:
        return itertools.chain((0.5, 1.0, 2.0), itertools.repeat(3.0))


def make_registry(feed: Feed, watches: Watches, missed: MissedDeletions) -> kopf.OperatorRegistry:
    """A registry of all handlers. They are coroutines: kopf calls plain functions in threads, and the queue is the loop's."""
    registry = kopf.OperatorRegistry()

    @kopf.on.startup(registry=registry)
    def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
        settings.posting.enabled = False  # kopf's own Events about its handlers help nobody here
        # kopf has a task for each object, which holds its place until nothing was seen of the object for a while: a limit
        # would let the first few busy sweeps keep all others out for good. What is bounded is the work queue.
        settings.queueing.worker_limit = None
        settings.queueing.idle_timeout = WORKER_IDLE_SECONDS
        settings.persistence.diffbase_storage = NoDiffs()
        settings.persistence.progress_storage = NoProgress()
        # A cluster has thousands of pods that are no sweep's: the API server is to leave them out, not the handlers.
        for kind in (PODS, RAY_JOBS):
            settings.watching.label_selectors[kind.group, kind.version, kind.plural] = names.LABEL_SWEEP
        settings.watching.server_timeout = 300
        settings.watching.client_timeout = 330
        settings.watching.reconnect_backoff = 1.0  # one that ends every watch at once is not asked in a tight loop
        settings.networking.error_backoffs = Backoffs()
        settings.networking.connect_timeout = 10
        settings.networking.request_timeout = 60

    @kopf.on.login(registry=registry)
    async def login(**arguments: Any) -> kopf.AiohttpSession | None:
        # kopf's own default would import the whole synchronous client, tens of megabytes.
        info = kopf.login_with_service_account(**arguments) or kopf.login_with_kubeconfig(**arguments)
        return None if info is None else _session(info, watches, missed)

    of_sweeps = {names.LABEL_SWEEP: kopf.PRESENT}

    @kopf.on.event(SWEEPS.group, SWEEPS.version, SWEEPS.plural, registry=registry)
    async def sweep_event(event: Any, **_: Any) -> None:
        feed.sweep(event["object"], deleted=event["type"] == "DELETED")

    @kopf.on.event(RAY_JOBS.group, RAY_JOBS.version, RAY_JOBS.plural, labels=of_sweeps, registry=registry)
    async def ray_job_event(event: Any, **_: Any) -> None:
        feed.ray_job(event["object"], deleted=event["type"] == "DELETED")

    @kopf.on.event(PODS.group, PODS.version, PODS.plural, labels=of_sweeps, registry=registry)
    async def pod_event(event: Any, **_: Any) -> None:
        feed.pod(event["object"], deleted=event["type"] == "DELETED")

    _watch_queues(registry, feed)
    return registry


def _watch_queues(registry: kopf.OperatorRegistry, feed: Feed) -> None:
    @kopf.on.event(WORKLOADS.group, WORKLOADS.version, WORKLOADS.plural, registry=registry)
    async def workload_event(event: Any, **_: Any) -> None:
        feed.workload(event["object"], deleted=event["type"] == "DELETED")


async def watch(
    registry: kopf.OperatorRegistry,
    ours: Settings,
    watches: Watches,
    stop: asyncio.Event,
    take_signals: Callable[[], None],
) -> None:
    """Run kopf's watches until `stop` is set. kopf takes SIGTERM for itself; `take_signals` is called to take it back."""
    settings = kopf.OperatorSettings()
    # Roles in namespaces do not let it watch for CRDs: it would try for ever.
    settings.scanning.disabled = bool(ours.watch_namespaces)
    insights = Insights()
    ours_before = asyncio.all_tasks()  # those kopf must not end when it does
    tasks = await kopf.spawn_tasks(
        registry=registry,
        settings=settings,
        insights=insights,
        standalone=True,
        clusterwide=not ours.watch_namespaces,
        namespaces=ours.watch_namespaces,
        stop_flag=stop,
    )
    take_signals()
    tasks = [*tasks, asyncio.create_task(_find_late_kinds(registry, settings, insights, watches))]
    await kopf.run_tasks(tasks, ignored=ours_before)


async def _find_late_kinds(
    registry: kopf.OperatorRegistry, settings: kopf.OperatorSettings, insights: Insights, watches: Watches
) -> None:
    """Have kopf watch kinds that it has missed.

    It asks what the API server serves when a CRD changes, and never again: often the server does not serve the kind yet. In
    named namespaces it does not even see that. kopf's own modules are imported for this: it has no public way to ask anew.
    """
    while True:
        await asyncio.sleep(LATE_SECONDS)
        for kind in LATE:
            if _is_among(kind, insights.watched_resources):
                continue
            watches.unwatched(kind.plural)
            try:
                await _find_late_kind(kind, registry, settings, insights)
            except Exception:  # whatever it is, kopf would end the operator over it
                log.exception("it is not known whether %s of %s are served", kind.plural, kind.group)


async def _find_late_kind(
    kind: Resource, registry: kopf.OperatorRegistry, settings: kopf.OperatorSettings, insights: Insights
) -> None:
    if _is_among(kind, await scan_resources(groups={kind.group}, settings=settings, logger=log)):
        log.info("%s of %s are served now: they are watched", kind.plural, kind.group)
        change = RawEvent(type="MODIFIED", object={"spec": {"group": kind.group}})
        await process_discovered_resource_event(
            raw_event=change, settings=settings, registry=registry, insights=insights
        )


def _is_among(kind: Resource, served: Collection[Any]) -> bool:
    return any(
        (found.group, found.version, found.plural) == (kind.group, kind.version, kind.plural) for found in served
    )


def _session(info: kopf.ConnectionInfo, watches: Watches, missed: MissedDeletions) -> kopf.AiohttpSession:
    """The session kopf would make itself, with an ear on its requests and a filter in its watches."""
    pauses = Pauses()

    async def note_request(
        _: aiohttp.ClientSession, __: SimpleNamespace, sent: aiohttp.TraceRequestStartParams
    ) -> None:
        parts = sent.url.path.strip("/").split("/")
        if parts[-1] in WATCHED and (sent.url.query.get("continue") is None):
            namespace = parts[-2] if "namespaces" in parts else None
            watch = sent.url.query.get("watch") == "true"
            if watches.asked(parts[-1], namespace, watch=watch, now=time.monotonic()):
                missed.list_ended(parts[-1], namespace)

    async def filter_watch(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        response = await handler(request)
        fit(response, pauses, KINDS)
        return response

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(note_request)
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=info.as_ssl_context()),
        headers=info.as_http_headers(),
        trace_configs=[trace],
        middlewares=[filter_watch],
    )
    return kopf.AiohttpSession(server=info.server, default_namespace=info.default_namespace, aiohttp_session=session)
