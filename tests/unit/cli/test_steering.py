"""Commands against an API server that answers as scripted: patches as they are sent, conflicts, refusals as sentences."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from support.sweeps import BASE, edited
from tuningsweep_cli.exits import Exit
from tuningsweep_cli.main import app

NAME = BASE["metadata"]["name"]
SWEEP_PATH = f"/apis/tuningsweep.io/v1alpha1/namespaces/team/tuningsweeps/{NAME}"
Answer = tuple[int, Any]


class Server:
    """Keeps one sweep; `refuse` may answer in its place."""

    def __init__(self) -> None:
        self.sweep = edited(BASE, {"metadata.namespace": "team", "metadata.resourceVersion": "1"})
        self.requests: list[tuple[str, str, Any]] = []
        self.refuse: Callable[[str, str], Answer | None] = lambda method, path: None

    def answer(self, method: str, path: str, body: Any) -> Answer:
        self.requests.append((method, path, body))
        refused = self.refuse(method, path)
        if refused is not None:
            return refused
        if path == SWEEP_PATH.rpartition("/")[0]:
            return 200, {"items": [edited(self.sweep, {"metadata.creationTimestamp": "2026-01-02T03:00:00Z"})]}
        if path != SWEEP_PATH:
            message = 'tuningsweeps.tuningsweep.io "other" not found'
            return 404, {"kind": "Status", "message": message, "details": {"name": "other"}}
        if method == "PATCH":
            self.sweep = merged(self.sweep, body)
        return 200, self.sweep

    @property
    def patches(self) -> list[Any]:
        return [body for method, _, body in self.requests if method == "PATCH"]


def merged(target: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server and a kubeconfig that leads to it."""
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            status, content = state.answer(self.command, self.path, body)
            data = content.encode() if isinstance(content, str) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_PATCH = _handle  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    write_kubeconfig(tmp_path / "kubeconfig", f"http://127.0.0.1:{http.server_port}")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.chdir(tmp_path)
    yield state
    http.shutdown()
    http.server_close()


def write_kubeconfig(path: Path, address: str) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": address}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u", "namespace": "team"}}],
        "current-context": "here",
    }
    path.write_text(yaml.safe_dump(config))


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_limits_are_shown_and_changed_in_the_namespace_of_the_context(server: Server) -> None:
    shown = call("limits", NAME)
    assert shown.exit_code == 0
    assert "400Mi" in shown.stdout
    assert server.patches == []
    changed = call("limits", NAME, "--memory", "300Mi", "--unset", "step-time", "--action", "Warn")
    assert changed.exit_code == 0
    assert server.patches == [{"spec": {"limits": {"memory": "300Mi", "action": "Warn", "stepTime": None}}}]
    assert "300Mi" in changed.stdout
    assert "stepTime" not in changed.stdout


def test_bad_limits_never_reach_the_server(server: Server) -> None:
    refused = call("limits", NAME, "--memory", "1Mi")
    assert refused.exit_code == Exit.BAD_INPUT
    assert "limits.memory must be at least 16Mi" in refused.stderr
    assert server.patches == []


def test_a_stop_is_tried_again_after_a_conflict_with_what_is_there_then(server: Server) -> None:
    def conflict_once(method: str, path: str) -> Answer | None:
        if method == "PATCH" and len(server.patches) == 1:
            server.sweep = edited(
                server.sweep,
                {"metadata.annotations": {"tuningsweep.io/stop": "trial-0000"}, "metadata.resourceVersion": "2"},
            )
            return 409, {"message": "the object has been modified"}
        return None

    server.refuse = conflict_once
    assert call("stop", NAME, "trial-0001").exit_code == 0
    assert server.patches[-1]["metadata"] == {
        "resourceVersion": "2",
        "annotations": {"tuningsweep.io/stop": "trial-0000,trial-0001"},
    }


def test_conflicts_without_end_are_given_up(server: Server) -> None:
    server.refuse = lambda method, _: (409, {"message": "modified"}) if method == "PATCH" else None
    given_up = call("stop", NAME, "trial-0001")
    assert given_up.exit_code == Exit.CLUSTER
    assert "changed by others all the time" in given_up.stderr
    assert len(server.patches) == 5


def test_suspend_and_resume_patch_only_what_changes(server: Server) -> None:
    assert "is not suspended" in call("resume", NAME).stdout
    assert server.patches == []
    assert call("suspend", NAME).stdout == f"{NAME} suspended\n"
    assert "suspended already" in call("suspend", NAME).stdout
    assert call("resume", NAME).stdout == f"{NAME} resumed\n"
    assert server.patches == [{"spec": {"suspend": True}}, {"spec": {"suspend": False}}]


@pytest.mark.parametrize(
    "command", [("limits", NAME, "--memory", "1Gi"), ("stop", NAME, "trial-0001"), ("suspend", NAME)]
)
def test_a_sweep_that_has_ended_is_not_changed(server: Server, command: tuple[str, ...]) -> None:
    server.sweep = edited(server.sweep, {"status": {"phase": "Complete"}})
    done = call(*command)
    assert done.exit_code == Exit.BAD_INPUT
    assert "has ended (Complete)" in done.stderr
    assert server.patches == []


def test_sweeps_are_listed(server: Server) -> None:
    rows = json.loads(call("list", "-o", "json").stdout)
    assert [(row["namespace"], row["name"], row["phase"]) for row in rows] == [("team", NAME, "Pending")]


@pytest.mark.parametrize(
    ("answer", "code", "says"),
    [
        ((404, "404 page not found"), Exit.CLUSTER, "no TuningSweep resources; install TuningSweep first"),
        ((401, {"message": "Unauthorized"}), Exit.CLUSTER, "credentials; log in again"),
        ((403, {"message": "cannot list"}), Exit.CLUSTER, "you may not do this: cannot list; ask for a Role"),
        ((422, {"message": "is invalid"}), Exit.BAD_INPUT, "the API server refuses it: is invalid"),
        ((500, "broken"), Exit.CLUSTER, "the API server failed"),
    ],
)
def test_refusals_are_sentences(server: Server, answer: Answer, code: Exit, says: str) -> None:
    server.refuse = lambda method, path: answer
    done = call("list")
    assert done.exit_code == code
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_one_sweep_that_this_version_can_not_read_does_not_hide_the_others(server: Server) -> None:
    created = {"metadata.creationTimestamp": "2026-01-02T03:00:00Z"}
    later = edited(server.sweep, {**created, "metadata.name": "later", "spec.objective.type": "balance"})
    server.refuse = lambda *_: (200, {"items": [later, edited(server.sweep, created)]})
    rows = json.loads(call("list", "-o", "json").stdout)
    assert [row["name"] for row in rows] == ["later", NAME]


@pytest.mark.parametrize("phase", ["Queued", "Suspended", "Failed"])
def test_of_a_sweep_that_has_not_started_nothing_is_mounted_to_say_so(server: Server, phase: str) -> None:
    server.sweep["status"] = {"phase": phase}
    done = call("trials", NAME)
    assert done.exit_code == Exit.NOT_FOUND
    assert f"{NAME} is {phase} and has not started, so there are no trials" in done.stderr
    assert [method for method, _, _ in server.requests] == ["GET"]


def test_a_sweep_that_is_not_there_is_looked_for_by_name_and_namespace(server: Server) -> None:
    done = call("trials", "other")
    assert done.exit_code == Exit.NOT_FOUND
    assert "there is no TuningSweep 'other' in namespace 'team'; `tuningsweep list -A`" in done.stderr


def test_an_unknown_context_is_refused_with_the_known_ones(server: Server) -> None:
    done = call("list", "--context", "there")
    assert done.exit_code == Exit.BAD_INPUT
    assert "no context 'there'; it has: here" in done.stderr


def test_a_server_that_is_not_there_is_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_kubeconfig(tmp_path / "kubeconfig", "http://127.0.0.1:9")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    done = call("list")
    assert done.exit_code == Exit.CLUSTER
    assert "the API server at http://127.0.0.1:9 can't be reached" in done.stderr
