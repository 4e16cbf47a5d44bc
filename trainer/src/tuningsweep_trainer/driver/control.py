"""The control API of the driver, with a bearer token (/healthz without one): state and desired for the operator, trials
and traces for the command line.

Runs in a thread with an event loop of its own. Requests are bounded in size and checked by the shared models.
"""

import asyncio
import hmac
import logging
import re
import ssl
import threading
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

from aiohttp import web
from pydantic import ValidationError

from tuningsweep_api.errors import unknown_fields
from tuningsweep_api.messages import TRIALS_PER_PAGE, DesiredState, SweepState, told_digest
from tuningsweep_api.names import (
    CONTROL_DESIRED_PATH,
    CONTROL_MAX_BODY_BYTES,
    CONTROL_STATE_PATH,
    CONTROL_TRACES_PATH,
    CONTROL_TRIALS_PATH,
    TRIAL_NAME_PATTERN,
)
from tuningsweep_trainer.driver.archive import Archive
from tuningsweep_trainer.driver.conductor import Conductor
from tuningsweep_trainer.driver.news import News, seconds_to_wait
from tuningsweep_trainer.driver.options import ControlOptions
from tuningsweep_trainer.results.store import Store
from tuningsweep_trainer.results.traces import read_traces

START_SECONDS: Final = 60.0
"""How long the machine may stand still while the server starts."""
SHUTDOWN_SECONDS: Final = 2.0
"""How long requests in progress may go on before they are cancelled, and how long those may take that take no notice."""
STOP_SECONDS: Final = 10.0
"""How long the driver waits for all that before it leaves without."""

log = logging.getLogger(__name__)


class ControlServer:
    """Serves a conductor's state, an archive's records and a store's traces, and takes edits."""

    def __init__(self, conductor: Conductor, archive: Archive, store: Store, options: ControlOptions) -> None:
        self._conductor, self._archive, self._store, self._options = conductor, archive, store, options
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="control-api", daemon=True)
        self._runner: web.AppRunner | None = None
        self._news = News(conductor.state)
        self.port = options.port

    def start(self) -> None:
        """Listen; OSError if the port is taken."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(START_SECONDS)
        self._conductor.after_turn = self._turned

    def stop(self) -> None:
        """Finish what is being answered and stop listening; what takes too long is left unfinished."""
        try:
            self._finish_answers()
        except TimeoutError:
            log.warning("the control API has requests in progress that do not end; the driver leaves without them")
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            if self._thread.is_alive():
                self._thread.join(STOP_SECONDS)

    def _finish_answers(self) -> None:
        if self._runner is not None:
            self._loop.call_soon_threadsafe(self._news.close)
            asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(STOP_SECONDS)

    def _turned(self) -> None:
        self._loop.call_soon_threadsafe(self._news.look)

    async def _listen(self) -> None:
        application = web.Application(client_max_size=CONTROL_MAX_BODY_BYTES, middlewares=[self._authenticate])
        application.router.add_get("/healthz", self._health)
        application.router.add_get(CONTROL_STATE_PATH, self._state)
        application.router.add_put(CONTROL_DESIRED_PATH, self._desired)
        application.router.add_get(CONTROL_TRIALS_PATH, self._trials)
        application.router.add_get(CONTROL_TRACES_PATH + "/{trial}", self._traces)
        # A request whose client has gone must not go on waiting.
        self._runner = web.AppRunner(
            application, access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_SECONDS
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._options.host, self._options.port, ssl_context=tls_context(self._options))
        await site.start()
        self.port = self._runner.addresses[0][1]
        log.info(
            "control API listens on port %d, %s TLS", self.port, "with" if self._options.certificate else "without"
        )

    @web.middleware
    async def _authenticate(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if request.path != "/healthz":
            given = request.headers.get("Authorization", "")
            if not hmac.compare_digest(given.encode(), f"Bearer {self._options.token}".encode()):
                return web.json_response({"error": "a valid bearer token is needed"}, status=401)
        return await handler(request)

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _state(self, request: web.Request) -> web.Response:
        state = self._conductor.state()
        tag = state.tag()
        if any(known.value == tag for known in request.if_none_match or ()):
            news = await self._news.other_than(tag, seconds_to_wait(request.headers.getall("Prefer", [])))
            if news is None:
                return web.Response(status=304, headers={"ETag": f'"{tag}"'})
            state = news
        return _answer(state)

    async def _desired(self, request: web.Request) -> web.Response:
        content = await request.read()
        try:
            desired = DesiredState.read(content)
        except ValidationError as error:
            return web.json_response({"error": f"not a DesiredState: {error.error_count()} errors"}, status=422)
        unknown = unknown_fields(DesiredState, content)
        if unknown:
            log.warning("of a later release, and without effect in this one: %s", ", ".join(unknown))
        # Here, in the order in which they came, it takes hold; storage may keep waiting whoever sent it, but nobody else.
        self._conductor.edit(desired, told_digest(content))
        try:
            return _answer(await asyncio.to_thread(self._conductor.keep))
        except OSError as error:
            log.exception("the desired state is in force, but can't be kept for a driver that comes after this one")
            sentence = f"it is in force, but can't be kept for a later driver: {error}"
            return web.json_response({"error": sentence}, status=HTTPStatus.INSUFFICIENT_STORAGE)

    async def _trials(self, request: web.Request) -> web.Response:
        try:
            after = _count(request, "after", 0)
            limit = min(_count(request, "limit", TRIALS_PER_PAGE), TRIALS_PER_PAGE)
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=422)
        return web.json_response(text=self._archive.page(after, limit).model_dump_json(by_alias=True))

    async def _traces(self, request: web.Request) -> web.Response:
        trial = request.match_info["trial"]
        if re.fullmatch(TRIAL_NAME_PATTERN, trial) is None:  # it becomes part of a path
            return web.json_response({"error": "not the name of a trial"}, status=422)
        traces = await asyncio.to_thread(read_traces, self._store, trial)
        return web.json_response([trace.model_dump(mode="json", by_alias=True) for trace in traces])


def tls_context(options: ControlOptions) -> ssl.SSLContext | None:
    """What the control API is served with: TLS 1.3 alone, all its clients know it; None for plain HTTP."""
    if options.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(options.certificate, options.private_key)
    return context


def _answer(state: SweepState) -> web.Response:
    return web.json_response(text=state.model_dump_json(by_alias=True), headers={"ETag": f'"{state.tag()}"'})


def _count(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, str(default))
    if re.fullmatch(r"[0-9]{1,9}", text) is None:
        raise ValueError(f"{name} must be a whole number")
    return int(text)
