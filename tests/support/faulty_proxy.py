"""A proxy between an operator and a real API server that answers some requests with a fault, as the test says at the moment.

Plain HTTP towards the operator, HTTPS towards the server. It also notes every request that was passed on, in order.
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web

from support.control_plane import ControlPlane, write_kubeconfig
from support.served import served

WRITES = ("POST", "PUT", "PATCH", "DELETE")
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


def error_event(code: int, reason: str) -> bytes:
    """The line by which the API server ends a watch that it can't go on with."""
    status = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": "no",
    }
    return json.dumps({"type": "ERROR", "object": status}).encode() + b"\n"


@dataclass(frozen=True)
class Fault:
    """What becomes of the requests that match."""

    path: str = ""
    """A regular expression, found anywhere in path and query."""
    methods: tuple[str, ...] = ()
    """All if empty."""
    delay: float = 0.0
    """Seconds before anything else."""
    status: int = 0
    """Answer with this, in place of the server."""
    headers: dict[str, str] = field(default_factory=dict)
    watch_body: bytes | None = None
    """Answer a watch with this, and end it."""
    drop: bool = False
    """Close the connection without an answer."""

    def matches(self, request: web.Request) -> bool:
        """Whether it is meant for a request."""
        return (not self.methods or request.method in self.methods) and bool(re.search(self.path, str(request.rel_url)))


@dataclass(frozen=True)
class Request:
    """A request as it was passed on, or answered with a fault."""

    at: float
    method: str
    path: str
    fault: Fault | None

    @property
    def writes(self) -> bool:
        """Whether it changes anything but a Lease."""
        return self.method in WRITES and "/leases" not in self.path


class FaultyProxy:
    """The proxy; `faults` may be changed at any time, the first that matches counts."""

    def __init__(self, target: str, kubeconfig: Path) -> None:
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        self.holdings: list[tuple[float, bool]] = []
        """When the server had taken a Lease, and whether it names a holder."""
        self.kubeconfig = kubeconfig
        self._target = target
        self._open: dict[int, web.Request] = {}
        self._client: aiohttp.ClientSession | None = None
        self.application = web.Application()
        self.application.router.add_route("*", "/{path:.*}", self._handle)
        self.application.cleanup_ctx.append(self._connected)

    def cut_watches(self) -> None:
        """Close every watch that is open now."""
        for request in list(self._open.values()):
            if request.transport is not None and "watch=true" in request.query_string:
                request.task.get_loop().call_soon_threadsafe(request.transport.abort)

    def answered(self, fault: Fault) -> int:
        """How many requests met a fault."""
        return sum(request.fault is fault for request in list(self.requests))

    async def _connected(self, _: web.Application) -> AsyncIterator[None]:
        connector = aiohttp.TCPConnector(ssl=False, limit=0)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as self._client:
            yield

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        fault = next((fault for fault in self.faults if fault.matches(request)), None)
        self.requests.append(Request(time.monotonic(), request.method, str(request.rel_url), fault))
        self._open[id(request)] = request
        try:
            return (await self._answer(request, fault) if fault else None) or await self._pass_on(request)
        finally:
            del self._open[id(request)]

    async def _answer(self, request: web.Request, fault: Fault) -> web.StreamResponse | None:
        await asyncio.sleep(fault.delay)
        if fault.drop:
            return self._dropped(request)
        if fault.watch_body is not None:
            return web.Response(body=fault.watch_body, content_type="application/json")
        if fault.status:
            return web.Response(status=fault.status, headers=fault.headers, text="made by the test")
        return None

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        assert self._client is not None
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
        body = await request.read()
        try:
            async with self._client.request(
                request.method, self._target + str(request.rel_url), headers=headers, data=body or None
            ) as answer:
                kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
                if answer.ok and request.method in WRITES and "/leases" in request.path:
                    self.holdings.append((time.monotonic(), bool(json.loads(body)["spec"].get("holderIdentity"))))
                response = web.StreamResponse(status=answer.status, headers=kept)
                await response.prepare(request)
                async for chunk in answer.content.iter_any():
                    await response.write(chunk)
                await response.write_eof()
                return response
        except aiohttp.ClientError:
            return self._dropped(request)

    def _dropped(self, request: web.Request) -> web.Response:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()


@contextmanager
def faulty_proxy(plane: ControlPlane, name: str = "proxied") -> Iterator[FaultyProxy]:
    """A proxy before a control plane, with a kubeconfig that leads to it."""
    proxy = FaultyProxy(plane.url, plane.folder / f"{name}.kubeconfig")
    with served(proxy.application) as port:
        write_kubeconfig(proxy.kubeconfig, f"http://127.0.0.1:{port}", plane.token)
        yield proxy
