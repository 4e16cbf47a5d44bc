"""/healthz and /metrics on one port. Healthy means that queue and watch are alive, not only that HTTP answers."""

import time
from typing import Final

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest

from tuningsweep_operator.state_metrics import StateCollector
from tuningsweep_operator.store import Store
from tuningsweep_operator.work_queue import WorkQueue

STUCK_SECONDS: Final = 60.0


class HealthServer:
    """Serves the two paths."""

    def __init__(self, queue: WorkQueue, store: Store, port: int, registry: CollectorRegistry = REGISTRY) -> None:
        self._queue, self._store, self._port, self._registry = queue, store, port, registry
        registry.register(StateCollector(store, queue))
        application = web.Application()
        application.router.add_get("/healthz", self._health)
        application.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(application)

    async def start(self) -> None:
        """Listen on all addresses of the pod."""
        await self._runner.setup()
        await web.TCPSite(self._runner, "0.0.0.0", self._port).start()  # noqa: S104 - the kubelet asks from outside

    async def stop(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    async def _health(self, _: web.Request) -> web.Response:
        idle = time.monotonic() - self._queue.last_turn
        if idle > STUCK_SECONDS:
            return web.Response(status=503, text=f"the work queue has not turned for {idle:.0f} s\n")
        now = time.monotonic()
        lag = max(self._store.sweeps_lag.longest(now), self._store.ray_jobs_lag.longest(now))
        if lag > STUCK_SECONDS:
            return web.Response(status=503, text=f"a watch has not shown what was written {lag:.0f} s ago\n")
        return web.Response(text="ok\n")

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
