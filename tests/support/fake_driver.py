"""Drivers that answer as the test says (well, slowly, with nonsense, with too much), and the KubeRay beside them.

The control API has its real port, TLS with the sweep's own certificate and an address of its own on loopback; the status of
the RayJob is what KubeRay 1.6.1 wrote of a running job.
"""

import asyncio
import base64
import json
import secrets
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from support.control_plane import ControlPlane
from support.served import served
from tuningsweep_api import names
from tuningsweep_api.messages import DesiredState

HUGE_BYTES = 100 << 20
CHUNK = b"[" * (1 << 16)


def loopback_address() -> str:
    """An address of its own, for control ports are all the same."""
    return f"127.{secrets.randbelow(200) + 10}.{secrets.randbelow(250) + 1}.{secrets.randbelow(250) + 1}"


class FakeDriver:
    """The control API of one sweep; `mood` may be changed at any time."""

    def __init__(self, plane: ControlPlane, sweep: str) -> None:
        self.plane, self.sweep = plane, sweep
        self.mood = "well"
        self.asked = 0
        self.sent = 0
        """Bytes of the last huge answer that went out."""
        self.desired: dict[str, Any] = {}
        self.told = 0
        """How often it was told what to do."""
        self.trials = {"total": 4, "running": 2, "pending": 2}
        self.result: dict[str, Any] | None = None
        self.added: dict[str, Any] = {}
        """Further fields of its state, as a later release may have them."""
        self.address = loopback_address()
        self._digest = ""
        self._uid = ""
        self.application = web.Application()
        self.application.router.add_get(names.CONTROL_STATE_PATH, self._answer)
        self.application.router.add_put(names.CONTROL_DESIRED_PATH, self._edit)

    def set_up(self, folder: Path) -> ssl.SSLContext:
        """The key pair from the sweep's Secret, as the head pod mounts it."""
        self._uid = self.plane.kubectl("get", "tuningsweep", self.sweep, "-o", "jsonpath={.metadata.uid}")
        data = json.loads(self.plane.kubectl("get", "secret", f"{self.sweep}-control", "-o", "json"))["data"]
        for key in (names.CERTIFICATE_KEY, names.PRIVATE_KEY_KEY):
            (folder / f"{self.sweep}-{key}").write_bytes(base64.b64decode(data[key]))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(
            *(folder / f"{self.sweep}-{key}" for key in (names.CERTIFICATE_KEY, names.PRIVATE_KEY_KEY))
        )
        return context

    def state(self) -> dict[str, Any]:
        """A SweepState."""
        return {
            "sweepUid": self._uid,
            "driverId": "one",
            "startTime": "2026-01-01T00:00:00Z",
            "desiredDigest": self._digest,
            "trials": self.trials,
            **({"result": self.result} if self.result else {}),
            **self.added,
        }

    async def _edit(self, request: web.Request) -> web.StreamResponse:
        self.told += 1
        self.desired = await request.json()
        self._digest = DesiredState.model_validate(self.desired).digest()
        return await self._answer(request)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        if self.mood == "slow":
            await asyncio.sleep(60)
        if self.mood == "nonsense":
            return web.json_response({"trials": ["many"]})
        if self.mood == "failing":
            return web.Response(status=500, text="no")
        if self.mood == "huge":
            return await self._flood(request)
        return web.json_response(self.state())

    async def _flood(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        self.sent = 0
        while self.sent < HUGE_BYTES and request.transport is not None:
            await response.write(CHUNK)
            self.sent += len(CHUNK)
            await asyncio.sleep(0)
        return response


@contextmanager
def silent_port(address: str = "127.0.0.1", port: int = 0, *, full: bool = False) -> Iterator[socket.socket]:
    """A port without an answer: connections open and nothing is said, or `full`: they never open, as if packets were lost."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((address, port), backlog=0 if full else 1024))
        for _ in range(4 if full else 0):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield listener


class FakeCluster:
    """Plays KubeRay and cluster DNS for the sweeps of one control plane."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self.hosts = plane.folder / "hosts.json"
        self.hosts.write_text("{}")
        self._addresses: dict[str, str] = {}
        self._stack = ExitStack()

    @property
    def environment(self) -> dict[str, str]:
        """What an operator needs in its environment to find the drivers."""
        return {"PYTHONPATH": str(Path(__file__).parent / "cluster_names"), "TUNINGSWEEP_TEST_HOSTS": str(self.hosts)}

    def run_job(self, sweep: str) -> FakeDriver:
        """The RayJob of a sweep runs, and its driver answers."""
        driver = FakeDriver(self.plane, sweep)
        context = driver.set_up(self.plane.folder)
        self._stack.enter_context(served(driver.application, driver.address, names.CONTROL_PORT, context))
        self._run_at(sweep, driver.address)
        return driver

    def run_silent_job(self, sweep: str, *, full: bool) -> None:
        """The RayJob of a sweep runs on a head pod that gives no answer of any kind; `full` as in `silent_port`."""
        address = loopback_address()
        self._stack.enter_context(silent_port(address, names.CONTROL_PORT, full=full))
        self._run_at(sweep, address)

    def _run_at(self, sweep: str, address: str) -> None:
        self._addresses[f"{sweep}-raycluster-head-svc"] = address
        self.hosts.write_text(json.dumps(self._addresses))
        self.set_job_status(sweep, "Running", "RUNNING")

    def set_job_status(self, sweep: str, deployment: str, job: str) -> None:
        """The status of a RayJob as KubeRay writes it."""
        status = {
            "jobDeploymentStatus": deployment,
            "jobStatus": job,
            "rayClusterName": f"{sweep}-raycluster",
            "rayClusterStatus": {"head": {"serviceName": f"{sweep}-raycluster-head-svc"}},
        }
        patch = json.dumps({"status": status})
        self.plane.kubectl("patch", "rayjob", sweep, "--subresource=status", "--type=merge", "-p", patch)

    def close(self) -> None:
        """End all drivers."""
        self._stack.close()


@contextmanager
def fake_cluster(plane: ControlPlane) -> Iterator[FakeCluster]:
    """A fake KubeRay, until the block ends."""
    cluster = FakeCluster(plane)
    try:
        yield cluster
    finally:
        cluster.close()
