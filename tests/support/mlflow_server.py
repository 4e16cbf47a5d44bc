"""A real `mlflow server` on loopback, and a proxy in front of it that answers 500, hangs, or loses answers."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from support.patience import PATIENCE


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class MlflowServer:
    """Its data outlives a stop, so that it may be started again."""

    def __init__(self, folder: Path, arguments: Sequence[str] | None = None) -> None:
        self.folder, self.port = folder, free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it answers; nothing if it has been."""
        if self._process is not None:
            return
        usual = [
            *("--backend-store-uri", f"sqlite:///{self.folder}/server.db"),
            *("--artifacts-destination", f"{self.folder}/artifacts", "--workers", "1"),
        ]
        program = Path(sys.executable).with_name("mlflow")
        settings = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        self._process = subprocess.Popen(
            [program, "server", "--host", "127.0.0.1", "--port", str(self.port), *(self._arguments or usual)],
            cwd=self.folder,
            env={**os.environ, **settings},
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "server.log").open("ab"),
            start_new_session=True,
        )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "server.log").read_text()
            assert time.monotonic() < deadline, (self.folder / "server.log").read_text()
            time.sleep(0.2)

    def stop(self) -> None:
        """Stop it and its workers."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            with urlopen(f"{self.uri}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False


class FaultyProxy(ThreadingHTTPServer):
    """Passes requests on, but for the faults that `fault` asks for."""

    daemon_threads = True

    def __init__(self, target: MlflowServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = target
        self.uri = f"http://127.0.0.1:{self.server_port}"
        self.fault: str = ""
        """"": none; "500", "401": answered so; "hang": no answer; "lose": passed on, the answer replaced by a 500."""
        self.only = ""
        """Only requests whose path ends so."""
        self.faults = 0
        """Requests that met the fault."""
        self.released = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    server: FaultyProxy
    protocol_version = "HTTP/1.1"

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.server.fault if self.path.partition("?")[0].endswith(self.server.only) else ""
        self.server.faults += bool(fault)
        if fault == "hang":
            self.server.released.wait(60)
            self.close_connection = True
            return
        status, answer = (int(fault), b"no") if fault.isdigit() else self._pass_on(body)
        if fault == "lose":
            status, answer = 500, b"no"
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _pass_on(self, body: bytes) -> tuple[int, bytes]:
        onward = HTTPConnection("127.0.0.1", self.server.target.port, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        onward.request(self.command, self.path, body=body or None, headers=headers)
        answer = onward.getresponse()
        return answer.status, answer.read()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@contextmanager
def faulty_proxy(target: MlflowServer) -> Iterator[FaultyProxy]:
    """A running proxy."""
    with FaultyProxy(target) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.released.set()
            proxy.shutdown()
            thread.join()
