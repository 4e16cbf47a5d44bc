"""/healthz, /readyz and /metrics on one port. Healthy means that queue and watches are alive, not only that HTTP answers.

An API server that is away makes nobody unhealthy: a restart would not bring it back. Ready is whoever has listed the sweeps,
so a replica that waits for the lease can take over at once.
"""

import time
from typing import Final

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest

from tuningsweep_operator.lease import Fence
from tuningsweep_operator.resources import SWEEPS
from tuningsweep_operator.state_metrics import StateCollector
from tuningsweep_operator.store import Store
from tuningsweep_operator.watches import QUIET_SECONDS, Watches
from tuningsweep_operator.work_queue import WorkQueue

STUCK_SECONDS: Final = 60.0


def ailment(now: float, queue: WorkQueue, store: Store, watches: Watches) -> str | None:
    """What a restart would cure; None if nothing is wrong."""
    idle = now - queue.last_turn
    if idle > STUCK_SECONDS:
        return f"the work queue has not turned for {idle:.0f} s"
    lag = max(store.sweeps_lag.longest(now), store.ray_jobs_lag.longest(now))
    if lag > STUCK_SECONDS:
        return f"a watch has not shown what was written {lag:.0f} s ago"
    quiet = watches.longest_quiet(now)
    if quiet > QUIET_SECONDS:
        return f"a watch has not asked the API server for {quiet:.0f} s"
    return None


class HealthServer:
    """Serves the three paths."""

    def __init__(
        self,
        queue: WorkQueue,
        store: Store,
        watches: Watches,
        fence: Fence,
        port: int,
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        self._queue, self._store, self._watches, self._port, self._registry = queue, store, watches, port, registry
        registry.register(StateCollector(store, queue, fence))
        application = web.Application()
        application.router.add_get("/healthz", self._health)
        application.router.add_get("/readyz", self._ready)
        application.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(application, shutdown_timeout=1.0)

    async def start(self) -> None:
        """Listen on all addresses of the pod."""
        await self._runner.setup()
        await web.TCPSite(self._runner, "0.0.0.0", self._port).start()  # noqa: S104 - the kubelet asks from outside

    async def stop(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    async def _health(self, _: web.Request) -> web.Response:
        found = ailment(time.monotonic(), self._queue, self._store, self._watches)
        return web.Response(text="ok\n") if found is None else web.Response(status=503, text=f"{found}\n")

    async def _ready(self, request: web.Request) -> web.Response:
        if not self._watches.listed(SWEEPS.plural):
            return web.Response(status=503, text="the sweeps have not been listed yet\n")
        return await self._health(request)

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
