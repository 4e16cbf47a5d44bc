"""A running sweep's trials come from its driver's control API, page by page, and a driver that is away is said to be."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from support.sweeps import BASE, edited
from support.trials import RECORDS, trace_of_over
from tuningsweep_api.outcomes import Phase
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_cli.cluster import NotFoundError
from tuningsweep_cli.exits import CommandError, Exit
from tuningsweep_cli.source.live import DriverUnreachableError, LiveSource
from tuningsweep_operator.access import ControlAccess
from tuningsweep_operator.builders.secret import build_secret
from tuningsweep_operator.certificates import make_key_pair

SWEEP = TuningSweep.from_manifest(BASE)
KEY_PAIR = make_key_pair("digits-svm.team.svc", datetime.now(UTC))
POD = {"metadata": {"name": "head"}, "status": {"phase": "Running"}}
STATE = {
    "sweepUid": "u",
    "driverId": "d",
    "startTime": "",
    "desiredDigest": "",
    "trials": {"total": 7, "running": 2},
    "running": [{"trial": "trial-0005", "parameters": {}, "startTime": ""}],
}


class Response:
    def __init__(self, status: int, content: Any) -> None:
        self.status, self._content = status, content

    def read(self, most: int) -> bytes:
        content = self._content if isinstance(self._content, bytes) else json.dumps(self._content).encode()
        return content[:most]


class Connection:
    def __init__(self, cluster: "FakeCluster") -> None:
        self._cluster = cluster

    def request(self, method: str, path: str, headers: dict[str, str]) -> None:
        assert (method, headers["Authorization"]) == ("GET", "Bearer the-token")
        self._path = path

    def getresponse(self) -> Response:
        self._cluster.asked.append(self._path)
        answer = self._cluster.answers[self._path]
        if isinstance(answer, Exception):
            raise answer
        return Response(*answer)


class FakeCluster:
    """The part of Cluster that a live source uses."""

    namespace = "team"

    def __init__(self, answers: dict[str, Any], pods: list[dict[str, Any]] | None = None, **edits: Any) -> None:
        self.answers, self.pods, self.asked = answers, [POD] if pods is None else pods, []  # type: ignore[var-annotated]
        status = {"status": {"phase": "Running", "rayClusterName": "c", "trials": {"total": 5}}}
        self.sweep = edited(edited(BASE, status), edits)

    def get(self, resource: Any, name: str) -> dict[str, Any]:
        return build_secret(SWEEP, "the-token", KEY_PAIR) if resource.plural == "secrets" else self.sweep

    def items(self, resource: Any, selector: str) -> list[dict[str, Any]]:
        assert selector == "tuningsweep.io/sweep=digits-svm,ray.io/node-type=head"
        return self.pods

    @contextmanager
    def http(self, pod: str, port: int, access: ControlAccess) -> Iterator[Connection]:
        assert (pod, port, access.scheme) == ("head", 8090, "https")
        yield Connection(self)


def source(cluster: FakeCluster) -> LiveSource:
    return LiveSource(cluster, SWEEP)  # type: ignore[arg-type]


def page(*numbers: int) -> tuple[int, dict[str, Any]]:
    return 200, {"records": [RECORDS[number].dump() for number in numbers], "total": 3}


def test_all_pages_are_read_and_later_only_what_is_new() -> None:
    cluster = FakeCluster(
        {"/v1/trials?after=0": page(0, 1), "/v1/trials?after=2": page(2), "/v1/trials?after=3": page()}
    )
    assert source(cluster).records() == RECORDS
    assert source(cluster).records(after=3) == []
    assert cluster.asked == ["/v1/trials?after=0", "/v1/trials?after=2", "/v1/trials?after=3"]


def test_traces_are_as_the_driver_has_them() -> None:
    trace = trace_of_over()
    answer = 200, [trace.model_dump(mode="json", by_alias=True)]
    assert source(FakeCluster({"/v1/traces/trial-0001": answer})).traces("trial-0001") == [trace]


def test_progress_is_the_drivers_while_it_answers_else_the_statuses() -> None:
    progress = source(FakeCluster({"/v1/state": (200, STATE)})).progress()
    assert (progress.trials.total, [trial.trial for trial in progress.running]) == (7, ["trial-0005"])
    for away in (FakeCluster({}, pods=[]), FakeCluster({"/v1/state": ConnectionResetError()})):
        assert source(away).progress().trials.total == 5
    ended = FakeCluster({}, **{"status.phase": "Complete"})
    assert (source(ended).progress().ended, ended.asked) == (True, [])


def test_an_edit_is_seen_by_who_watches() -> None:
    live = source(FakeCluster({"/v1/state": (200, STATE)}, **{"spec.limits.memory": "300Mi", "spec.maxTrialCount": 40}))
    live.progress()
    assert (live.sweep.spec.limits.memory, live.sweep.spec.max_trial_count) == ("300Mi", 40)


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (http.client.RemoteDisconnected(), DriverUnreachableError, "does not answer"),
        ((401, {}), DriverUnreachableError, "HTTP status 401"),
        ((404, {}), CommandError, "another version"),
        ((200, b"{"), CommandError, "another version"),
        ((200, b" " * (33 << 20)), DriverUnreachableError, "more than 33554432 bytes"),
    ],
)
def test_a_driver_that_cant_be_asked_is_a_sentence(answer: Any, kind: type[CommandError], says: str) -> None:
    with pytest.raises(kind, match=says):
        source(FakeCluster({"/v1/trials?after=0": answer})).records()


class Untaken(FakeCluster):
    """Where the operator has not taken the sweep up: it has no Secret."""

    def get(self, resource: Any, name: str) -> dict[str, Any]:
        if resource.plural == "secrets":
            raise NotFoundError(f'secrets "{name}" not found')
        return super().get(resource, name)


def test_a_sweep_that_no_operator_has_taken_up_is_waited_for() -> None:
    untaken = Untaken({}, status={"phase": "Pending"})
    assert source(untaken).progress().phase is Phase.PENDING
    with pytest.raises(DriverUnreachableError, match="digits-svm has not been started yet"):
        source(untaken).records()


def test_without_a_running_head_pod_there_is_nobody_to_ask() -> None:
    leaving = {**POD, "metadata": {"name": "head", "deletionTimestamp": "now"}}
    with pytest.raises(DriverUnreachableError, match="no running head pod") as raised:
        source(FakeCluster({}, pods=[leaving, {**POD, "status": {"phase": "Pending"}}])).records()
    assert raised.value.code is Exit.CLUSTER
