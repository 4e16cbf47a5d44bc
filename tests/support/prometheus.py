"""The pinned Prometheus outside a cluster: promtool, and a server that scrapes and is asked, for tests."""

import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.control_plane import free_port
from support.patience import PATIENCE
from support.rig import rig_file


def promtool(*arguments: str, stdin: str | None = None, folder: Path | None = None) -> str:
    """What promtool prints; AssertionError with its words if it finds something wrong."""
    command = [str(rig_file("prometheus", "promtool")), *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


class Prometheus:
    """A running Prometheus; `fetch` gets a path of it, and raises OSError or AssertionError where it doesn't answer."""

    def __init__(self, fetch: Callable[[str], str]) -> None:
        self._fetch = fetch

    def ready(self) -> bool:
        """Whether it answers."""
        try:
            self._fetch("/-/ready")
        except (OSError, AssertionError):
            return False
        return True

    def get(self, path: str, **parameters: Any) -> Any:
        """The data of an API answer."""
        return json.loads(self._fetch(f"/api/v1/{path}?{urllib.parse.urlencode(parameters)}"))["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The samples of an instant query."""
        result = self.get("query", query=expression)
        return [{"value": result["result"]}] if result["resultType"] == "scalar" else list(result["result"])


def _fetch_from(address: str) -> Callable[[str], str]:
    """Fetches paths of a server; AssertionError with its words for an error."""

    def fetch(path: str) -> str:
        try:
            with urllib.request.urlopen(address + path, timeout=30) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.read().decode()}") from error

    return fetch


@contextmanager
def running_prometheus(configuration: str, folder: Path) -> Iterator[Prometheus]:
    """A Prometheus with this configuration and an empty database, on a free port of the loopback interface."""
    program = rig_file("prometheus", "prometheus")
    (folder / "prometheus.yml").write_text(configuration)
    listen = f"127.0.0.1:{free_port()}"
    options = ("--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address={listen}")
    with (folder / "prometheus.log").open("w") as log:
        process = subprocess.Popen([program, *options], cwd=folder, stdout=log, stderr=log)
    try:
        prometheus = Prometheus(_fetch_from(f"http://{listen}"))
        deadline = time.monotonic() + PATIENCE
        while not prometheus.ready():
            ended = process.poll() is not None or time.monotonic() > deadline
            assert not ended, f"Prometheus did not start: {(folder / 'prometheus.log').read_text()[-2000:]}"
            time.sleep(0.1)
        yield prometheus
    finally:
        process.terminate()
        process.wait(PATIENCE)
