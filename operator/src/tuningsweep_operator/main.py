"""The operator's entry point: puts store, queue, reconciler, kopf and the health server together and runs them."""

import asyncio
import logging
import signal

from tuningsweep_operator import logs
from tuningsweep_operator.control import ControlClient
from tuningsweep_operator.handlers import make_registry, watch
from tuningsweep_operator.health import HealthServer
from tuningsweep_operator.kube import Kube
from tuningsweep_operator.reconcile import Reconciler
from tuningsweep_operator.settings import Settings
from tuningsweep_operator.store import Store
from tuningsweep_operator.work_queue import WorkQueue

log = logging.getLogger(__name__)


async def run(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT."""
    store = Store()
    control = ControlClient(settings.driver_timeout_seconds)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with await Kube.connect() as kube:
        reconciler = Reconciler(kube, control, store, settings)
        queue = WorkQueue(reconciler, settings.workers)
        health = HealthServer(queue, store, settings.health_port)
        await health.start()
        registry = make_registry(store, queue, reconciler)
        work = asyncio.create_task(queue.run())
        try:
            await watch(registry, settings, stop)
        finally:
            work.cancel()
            await control.close()
            await health.stop()


def main() -> None:
    """Console entry point; settings come from the environment."""
    settings = Settings()
    logs.set_up(settings.log_level)
    asyncio.run(run(settings))
