"""The operator: puts lease, store, queue, reconciler, kopf and the health server together and runs them."""

import asyncio
import logging
import signal
import time
from typing import Any

from tuningsweep_operator import logs
from tuningsweep_operator.control import ControlClient
from tuningsweep_operator.drivers import Drivers
from tuningsweep_operator.feed import Feed
from tuningsweep_operator.handlers import make_registry, watch
from tuningsweep_operator.health import HealthServer
from tuningsweep_operator.hold_back.gate import Gate
from tuningsweep_operator.kube import Kube
from tuningsweep_operator.leadership import Leadership, new_identity
from tuningsweep_operator.lease import Election, Terms
from tuningsweep_operator.missed import MissedDeletions
from tuningsweep_operator.reconcile import Reconciler
from tuningsweep_operator.resources import Key
from tuningsweep_operator.settings import Settings
from tuningsweep_operator.store import Store
from tuningsweep_operator.watches import Watches
from tuningsweep_operator.work_queue import WorkQueue

log = logging.getLogger(__name__)


async def run(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT: then what is under way ends, and the lease is given back."""
    election = Election(new_identity(), Terms(settings.lease_seconds))

    def fence() -> float:
        return election.writing_seconds(time.monotonic())

    store, watches = Store(), Watches()
    control = ControlClient(settings.driver_timeout_seconds, fence)
    async with await Kube.connect(fence) as kube:
        gate = Gate(kube, store, settings, fence)

        def due(key: Key) -> None:
            queue.add(key)

        drivers = Drivers(control, settings, fence, due)
        reconciler = Reconciler(kube, control, drivers, store, settings, gate)
        queue = WorkQueue(reconciler, settings.workers, fence)

        def take_up_work() -> None:
            reconciler.forget()
            queue.restart(store.sweeps)

        feed = Feed(store, queue, reconciler, watches)
        registry = make_registry(feed, watches, MissedDeletions(kube, store, watches, feed))
        leadership = Leadership(
            kube, election, settings.namespace, settings.lease_name, gained=take_up_work, lost=drivers.forget
        )
        health = HealthServer(queue, store, watches, fence, settings.health_port)
        await health.start()
        stop = asyncio.Event()
        _stop_on_signals(stop)
        work = [
            asyncio.create_task(queue.run(), name="queue"),
            asyncio.create_task(leadership.run(), name="leadership"),
            asyncio.create_task(gate.run(queue.add), name="gate"),
        ]
        stopped = asyncio.create_task(stop.wait(), name="stop")
        unwatch = asyncio.Event()
        watching = asyncio.create_task(
            watch(registry, settings, watches, unwatch, lambda: _stop_on_signals(stop)), name="watches"
        )
        try:
            await asyncio.wait({*work, stopped, watching}, return_when=asyncio.FIRST_COMPLETED)
            # After a crash the lease is left to run out: it is not known what was written.
            if await queue.drain(settings.shutdown_seconds) and stop.is_set():
                await leadership.release()
        finally:
            for task in (*work, stopped):
                task.cancel()
            # kopf waits a while for whatever was begun since it was: also what waits for drivers, and open connections.
            drivers.forget()
            await health.stop()
            unwatch.set()
            failures = await end({*work, stopped, watching}, settings.shutdown_seconds)
            await control.close()
        if failures:
            raise failures[0]


async def end(tasks: set[asyncio.Task[Any]], seconds: float) -> list[BaseException]:
    """Wait so long for tasks that were told to end; what some of them failed with."""
    ended, hanging = await asyncio.wait(tasks, timeout=seconds)
    for task in hanging:
        log.error("%s did not end within %g s of being told to, and is given up", task.get_name(), seconds)
    failures = (task.exception() for task in ended if not task.cancelled())
    return [failure for failure in failures if failure is not None]


def _stop_on_signals(stop: asyncio.Event) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)


def run_forever() -> None:
    """Called by the entry point; settings come from the environment."""
    settings = Settings()
    logs.set_up(settings.log_level)
    asyncio.run(run(settings))
