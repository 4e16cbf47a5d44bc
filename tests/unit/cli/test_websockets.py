"""Port-forward and exec through the Kubernetes client's WebSockets: Ctrl-C ends them, and so does a server's silence."""

import re
import socket
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha1
from pathlib import Path
from typing import Any

import pytest
import yaml
from websocket import WebSocket

from support.fake_driver import silent_port
from tuningsweep_cli import websockets
from tuningsweep_cli.cluster import Cluster
from tuningsweep_cli.exits import CommandError, Exit
from tuningsweep_cli.options import ClusterOptions
from tuningsweep_operator.access import ControlAccess

ACCESS = ControlAccess("the-token", fingerprint=None)
WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
BINARY, CLOSE = 0x82, 0x88
HALF_A_FRAME = bytes([BINARY, 5, 1]) + b"ab"
STATUS = b'\x03{"status":"Success"}'
WHOLE_ANSWER = bytes([BINARY, 3, 1]) + b"ok" + bytes([BINARY, len(STATUS)]) + STATUS + bytes([CLOSE, 0])

pytestmark = pytest.mark.timeout(60)  # without a bound these hang


def cluster_at(folder: Path, server: str) -> Cluster:
    file = folder / "kubeconfig"
    content = {
        "clusters": [{"name": "c", "cluster": {"server": server, "insecure-skip-tls-verify": True}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
        "users": [{"name": "c", "user": {}}],
        "current-context": "c",
    }
    file.write_text(yaml.safe_dump(content))
    return Cluster(ClusterOptions(kubeconfig=str(file)))


def forward(cluster: Cluster) -> None:
    with cluster.http("head", 8090, ACCESS) as connection:
        connection.request("GET", "/")
        connection.getresponse().read()


def run(cluster: Cluster) -> None:
    cluster.run("reader", "cat", "file")


EITHER = pytest.mark.parametrize("call", [forward, run])


@EITHER
@pytest.mark.parametrize("ending", [KeyboardInterrupt, SystemExit])
def test_an_interruption_while_it_connects_is_no_failed_look(
    call: Callable[[Cluster], None],
    ending: type[BaseException],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise ending

    monkeypatch.setattr(WebSocket, "connect", interrupted)
    with pytest.raises(ending):
        call(cluster_at(tmp_path, "http://127.0.0.1:1"))


@EITHER
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_accepts_and_says_nothing_is_given_up(
    call: Callable[[Cluster], None], scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websockets, "ANSWER_SECONDS", 0.3)
    with silent_port() as listener, pytest.raises(CommandError, match="timed out") as raised:
        call(cluster_at(tmp_path, f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"))
    assert raised.value.code is Exit.CLUSTER


@contextmanager
def upgrading(then: Callable[[socket.socket], object]) -> Iterator[str]:
    """A server of one WebSocket, which it closes when the block ends at the latest; its URL."""
    over = threading.Event()

    def serve() -> None:
        with listener.accept()[0] as client:
            request = b""
            while b"\r\n\r\n" not in request:
                request += client.recv(4096)
            (key,) = re.findall(rb"Sec-WebSocket-Key: (\S+)", request)
            accepted = b64encode(sha1(key + WEBSOCKET_GUID).digest())
            client.sendall(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: " + accepted + b"\r\n\r\n"
            )
            then(client)
            over.wait()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            over.set()
            thread.join()


@pytest.fixture
def bound(monkeypatch: pytest.MonkeyPatch) -> float:
    """Seconds of silence that are borne: short, and long enough to connect on a busy machine."""
    monkeypatch.setattr(websockets, "ANSWER_SECONDS", 2.0)
    return 2.0


@pytest.mark.parametrize(
    ("then", "says"),
    [
        (lambda client: client.sendall(HALF_A_FRAME), "broke off: nothing came for 2 s"),
        (lambda client: (client.sendall(HALF_A_FRAME), client.shutdown(socket.SHUT_RDWR)), "broke off: .* lost"),
    ],
    ids=["silent", "closed"],
)
def test_an_exec_that_breaks_off_in_mid_frame_is_a_sentence(
    then: Callable[[socket.socket], object], says: str, tmp_path: Path, bound: float
) -> None:
    with upgrading(then) as server, pytest.raises(CommandError, match=says) as raised:
        run(cluster_at(tmp_path, server))
    assert raised.value.code is Exit.CLUSTER


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_port_forward_that_stops_in_mid_frame_ends_with_its_thread(tmp_path: Path, bound: float) -> None:
    before = set(threading.enumerate())
    with upgrading(lambda client: client.sendall(HALF_A_FRAME)) as server:
        with pytest.raises(ConnectionError):
            forward(cluster_at(tmp_path, server))
        for thread in set(threading.enumerate()) - before:
            if "port forward" in thread.name:
                thread.join()


def test_a_command_may_be_silent_for_longer_than_a_connection(tmp_path: Path, bound: float) -> None:
    def later(client: socket.socket) -> None:
        threading.Event().wait(bound + 0.5)
        client.sendall(WHOLE_ANSWER)

    with upgrading(later) as server:
        assert cluster_at(tmp_path, server).run("reader", "cat", "file") == (b"ok", 0)
