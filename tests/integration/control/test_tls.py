"""The control API over real sockets: the driver's own server, the operator's and the command line's own clients."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from aiohttp import web

from support.control_api import STATE, SWEEP, access_to, mounted, serving
from support.patience import PATIENCE
from tuningsweep_api.messages import DesiredState, desired_state
from tuningsweep_cli.forwarding import secured
from tuningsweep_operator.access import ControlAccess
from tuningsweep_operator.certificates import KeyPair, make_key_pair
from tuningsweep_operator.control import Answer, ControlClient
from tuningsweep_trainer.driver.control import tls_context


def ask(address: str, access: ControlAccess, *desired: DesiredState) -> list[Answer]:
    """State and answers to edits, through the operator's client."""

    async def talk() -> list[Answer]:
        client = ControlClient(PATIENCE, lambda: PATIENCE, patience_seconds=PATIENCE)
        try:
            return [
                await client.state(address, access),
                *[await client.put_desired(address, access, d) for d in desired],
            ]
        finally:
            await client.close()

    return asyncio.run(talk())


@pytest.fixture(scope="module")
def pair() -> KeyPair:
    return make_key_pair("digits-svm.team.svc", datetime.now(UTC))


def test_operator_and_driver_talk_over_tls_with_what_is_in_the_secret(tmp_path: Path, pair: KeyPair) -> None:
    desired = desired_state(SWEEP)
    with serving(mounted(tmp_path, pair)) as (address, conductor):
        state, edited = ask(address, access_to(pair), desired)
        assert (state.state, conductor.asked) == (STATE, ["state", desired])
        assert edited.state is not None
        assert edited.state.desired_digest == desired.digest()
        assert ask(address, access_to(pair, "wrong"))[0].error == "the driver answered with HTTP status 401"


def test_another_certificate_is_refused_before_it_has_heard_the_token(tmp_path: Path, pair: KeyPair) -> None:
    heard: list[bytes] = []
    thief = make_key_pair("digits-svm.team.svc", datetime.now(UTC))
    with listening(tls_context(mounted(tmp_path, thief)), heard) as address:
        assert "certificate in the sweep's Secret" in ask(address, access_to(pair))[0].error
        with pytest.raises(ssl.SSLError, match="certificate in the sweep's Secret"):
            secured(connected(address), access_to(pair))
    assert b"".join(heard) == b""


def test_a_driver_without_tls_is_not_told_the_token_where_a_certificate_is_pinned(
    tmp_path: Path, pair: KeyPair
) -> None:
    heard: list[bytes] = []
    with listening(None, heard) as address:
        assert ask(address, access_to(pair))[0].state is None
    assert b"the-token" not in b"".join(heard)
    with serving(mounted(tmp_path, None)) as (address, conductor):
        assert "speaks no TLS" in ask(address, access_to(pair))[0].error
        assert conductor.asked == []


def test_a_sweep_of_an_operator_that_knew_no_tls_goes_on(tmp_path: Path) -> None:
    with serving(mounted(tmp_path, None)) as (address, _):
        assert ask(address, ControlAccess("the-token", None))[0].state == STATE


def test_the_command_line_talks_over_tls_too_and_old_tls_is_refused(tmp_path: Path, pair: KeyPair) -> None:
    with serving(mounted(tmp_path, pair)) as (address, _):
        with secured(connected(address), access_to(pair)) as channel:
            assert cast("ssl.SSLSocket", channel).version() == "TLSv1.3"
            channel.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert channel.recv(4096).startswith(b"HTTP/1.1 200")
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode, old.maximum_version = False, ssl.CERT_NONE, ssl.TLSVersion.TLSv1_2
        with pytest.raises(ssl.SSLError):
            old.wrap_socket(connected(address))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"x" * (100 << 20), "more than 1048576 bytes"),
        (b"{}", "not a SweepState"),
        (b"\x80\x04\x95", "not a SweepState"),
        (b"[" * 100_000, "not a SweepState"),
    ],
)
def test_what_a_driver_must_not_say_is_an_error_in_words(body: bytes, says: str, pair: KeyPair, tmp_path: Path) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body)

    async def talk() -> Answer:
        application = web.Application()
        application.router.add_get("/v1/state", answer)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls_context(mounted(tmp_path, pair)))
        await site.start()
        client = ControlClient(PATIENCE, lambda: PATIENCE, patience_seconds=PATIENCE)
        try:
            return await client.state(f"127.0.0.1:{runner.addresses[0][1]}", access_to(pair))
        finally:
            await client.close()
            await runner.cleanup()

    assert says in asyncio.run(talk()).error


def connected(address: str) -> socket.socket:
    host, port = address.split(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE)


@contextmanager
def listening(context: ssl.SSLContext | None, heard: list[bytes]) -> Iterator[str]:
    """Address of someone who answers nothing and keeps what it is told."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_listen, args=[server, context, heard])
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def _listen(server: socket.socket, context: ssl.SSLContext | None, heard: list[bytes]) -> None:
    while True:
        try:
            peer, _ = server.accept()
        except OSError:
            return
        peer.settimeout(PATIENCE)
        try:
            spoken = peer if context is None else context.wrap_socket(peer, server_side=True)
            heard.append(spoken.recv(65536))
            spoken.close()
        except OSError:
            peer.close()
