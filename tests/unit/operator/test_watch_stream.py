import asyncio
import json
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from yarl import URL

from tuningsweep_operator import watch_stream
from tuningsweep_operator.watch_stream import LIST_ANEW, Pauses, WatchContent, fit, trouble_in

EVENT = b'{"type": "MODIFIED", "object": {"metadata": {"name": "one"}}}'
PATH = "/apis/tuningsweep.io/v1alpha1/tuningsweeps"


class Content:
    """Chunks as they come, then the end or an error; each takes `seconds`."""

    def __init__(self, *chunks: bytes, error: Exception | None = None, seconds: float = 0.0) -> None:
        self.chunks, self.error, self.seconds, self.now = chunks, error, seconds, 100.0

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            self.now += self.seconds
            yield chunk
        if self.error is not None:
            raise self.error


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    seconds: list[float] = []

    async def sleep(wanted: float) -> None:
        seconds.append(wanted)

    monkeypatch.setattr(watch_stream.asyncio, "sleep", sleep)
    return seconds


def given_to_kopf(content: Content, pauses: Pauses) -> list[bytes]:
    async def read() -> list[bytes]:
        return [line async for line in WatchContent(content, PATH, pauses, lambda: content.now).iter_chunked(1 << 20)]

    return asyncio.run(read())


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (EVENT, None),
        (b'{"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "7"}}}', None),
        (b'{"type": "ERROR", "object": {"code": 410, "message": "too old"}}', None),
        (b'{"type": "ERROR", "object": {"code": 500, "message": "etcd is away"}}', "error 500: etcd is away"),
        (b'{"type": "ERROR", "object": {"code": 504, "reason": "Timeout"}}', "error 504: Timeout"),
        (b'{"type": "ERROR", "object": {"code": 429}}', "error 429: "),
        (b'{"type": "ERROR", "object": {}}', "a line is no event"),
        (b'{"type": "ADDED", "object": null}', "a line is no event"),
        (b'{"type": "ADDED"}', "a line is no event"),
        (b"[]", "a line is no event"),
        (EVENT[:30], "a line is no JSON"),
        (b"<html>sign in</html>", "a line is no JSON"),
    ],
)
def test_what_kopf_may_see(line: bytes, words: str | None) -> None:
    found = trouble_in(line)
    assert found is None if words is None else found is not None and found.startswith(words)


def test_events_pass_however_they_are_cut_into_chunks(slept: list[float]) -> None:
    stream = EVENT + b"\n" + EVENT + b"\n"
    chunks = [stream[start : start + 7] for start in range(0, len(stream), 7)]
    assert given_to_kopf(Content(*chunks, seconds=1.0), Pauses()) == [EVENT + b"\n"] * 2
    assert slept == []


def test_after_trouble_kopf_lists_anew_each_time_a_little_later(slept: list[float]) -> None:
    pauses = Pauses()
    for _ in range(7):
        assert given_to_kopf(Content(EVENT + b"\nno JSON\n" + EVENT + b"\n"), pauses) == [EVENT + b"\n", LIST_ANEW]
    assert slept == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert json.loads(LIST_ANEW)["object"]["code"] == 410


def test_a_watch_that_was_well_for_long_is_forgiven() -> None:
    pauses = Pauses()
    assert [pauses.failed(PATH, now) for now in (0.0, 3.0, 200.0)] == [1.0, 2.0, 1.0]
    assert pauses.failed("/api/v1/pods", 201.0) == 1.0


@pytest.mark.parametrize("error", [None, aiohttp.ClientPayloadError("cut"), aiohttp.ClientOSError("reset")])
def test_a_stream_that_ends_at_once_is_not_asked_for_again_in_a_tight_loop(
    slept: list[float], error: Exception | None
) -> None:
    pauses = Pauses()
    assert given_to_kopf(Content(EVENT[:20], error=error), pauses) == []
    assert given_to_kopf(Content(error=error), pauses) == []
    assert slept == [1.0, 2.0]
    assert given_to_kopf(Content(EVENT + b"\n" + EVENT[:20], error=error), pauses) == [EVENT + b"\n"]
    given_to_kopf(Content(b"\n", error=error, seconds=300.0), pauses)
    assert slept == [1.0, 2.0], "one that showed something, or lived as long as it should, goes on at once"


GONE = "/apis/kueue.x-k8s.io/v1beta1/workloads"


def answer(path: str, status: int, closed: list[str]) -> Any:
    """A response of the API server, as far as it is looked at."""
    url = URL(f"https://api{path}").with_query({"watch": "true"})
    return SimpleNamespace(status=status, url=url, content_type="text/plain", close=lambda: closed.append(path))


def test_a_kind_whose_crd_was_deleted_is_asked_for_again_and_ends_no_operator() -> None:
    closed: list[str] = []
    with pytest.raises(aiohttp.ClientConnectionError, match="its CRD is gone"):
        fit(answer(GONE, 404, closed), Pauses(), frozenset({"workloads"}))
    assert closed == [GONE]


def test_a_404_of_anything_else_is_kopfs() -> None:
    closed: list[str] = []
    for path in ("/apis/kueue.x-k8s.io/v1beta1", "/api/v1/namespaces/team/pods/a"):
        fit(answer(path, 404, closed), Pauses(), frozenset({"workloads", "pods"}))
    fit(answer(GONE, 403, closed), Pauses(), frozenset({"workloads"}))
    assert closed == []
