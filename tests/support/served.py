"""An aiohttp application served from a thread with a loop of its own, so that a test can steer it while it answers."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from support.patience import PATIENCE


@contextmanager
def served(
    application: web.Application, host: str = "127.0.0.1", port: int = 0, context: ssl.SSLContext | None = None
) -> Iterator[int]:
    """Serve until the block ends; the port."""
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)

    async def start() -> int:
        await runner.setup()
        site = web.TCPSite(runner, host, port, ssl_context=context)
        await site.start()
        return int(runner.addresses[0][1])

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield asyncio.run_coroutine_threadsafe(start(), loop).result(PATIENCE)
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()
