"""Port-forward and exec through the Kubernetes client's WebSockets: a press of Ctrl-C ends the command."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from websocket import WebSocket

from tuningsweep_cli.cluster import Cluster
from tuningsweep_cli.options import ClusterOptions
from tuningsweep_operator.access import ControlAccess

ACCESS = ControlAccess("the-token", fingerprint=None)


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
