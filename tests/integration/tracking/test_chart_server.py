"""The server with the very commands that the chart gives its pod: it starts, answers to its names in the cluster alone, and
brings its database up to date."""

import os
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
import yaml
from alembic import command
from mlflow.store.db import utils

from support.chart import rendered
from support.mlflow_server import MlflowServer
from support.patience import PATIENCE

LIST = "/api/2.0/mlflow/experiments/get-by-name?experiment_name=Default"
SEARCH = "/api/2.0/mlflow/experiments/search"


@pytest.fixture
def pod(tmp_path: Path) -> dict[str, Any]:
    """The pod's spec, with its data in a folder of the test."""
    text = rendered("mlflow.yaml", "mlflow.enabled=true", "mlflow.allowedHosts={mlflow.example}", namespace="tuning")
    text = text.replace("/var/lib/mlflow", str(tmp_path))
    (found,) = (o["spec"]["template"]["spec"] for o in yaml.safe_load_all(text) if o and o["kind"] == "Deployment")
    return dict(found)


def migrate(pod: dict[str, Any]) -> None:
    """What its init container does."""
    (container,) = pod["initContainers"]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run(container["command"], env={**os.environ, "PATH": path}, check=True)


def status(server: MlflowServer, host: str, path: str = LIST, **headers: str) -> int:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    body = '{"max_results": 1}' if path == SEARCH else None
    kind = {"Content-Type": "application/json"} if body else {}
    connection.request("POST" if body else "GET", path, body, {"Host": host, **kind, **headers})
    return connection.getresponse().status


def test_it_answers_to_its_names_and_pages_and_no_others_and_its_database_is_brought_up_to_date(
    pod: dict[str, Any], tmp_path: Path
) -> None:
    migrate(pod)
    assert list(tmp_path.iterdir()) == [], "there is nothing yet"
    arguments = pod["containers"][0]["args"]
    server = MlflowServer(tmp_path, [a for a in arguments if not a.startswith(("--host=", "--port="))])
    server.start()
    try:
        for host in (
            "tuningsweep-mlflow.tuning:5000",
            "tuningsweep-mlflow.tuning.svc.cluster.local:5000",
            "tuningsweep-mlflow.tuning.svc",
            "mlflow.example",
            "localhost:5000",
        ):
            assert status(server, host) == 200, host
        assert status(server, "evil.example") == 403
        assert status(server, "mlflow.example", SEARCH, Origin="https://mlflow.example") == 200
        assert status(server, "mlflow.example", SEARCH, Origin="https://evil.example") == 403
    finally:
        server.stop()
    address = f"sqlite:///{tmp_path}/mlflow.db"
    engine, config = sqlalchemy.create_engine(address), utils._get_alembic_config(address)
    with engine.begin() as config.attributes["connection"]:
        command.downgrade(config, "-1")
    migrate(pod)
    assert utils._get_schema_version(engine) == utils._get_latest_schema_revision()
