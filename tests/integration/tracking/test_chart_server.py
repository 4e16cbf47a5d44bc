"""The server with the very arguments that the chart gives it: it starts, and answers to its names in the cluster alone."""

from http.client import HTTPConnection
from pathlib import Path

import pytest
import yaml

from support.chart import rendered
from support.mlflow_server import MlflowServer

LIST = "/api/2.0/mlflow/experiments/get-by-name?experiment_name=Default"


@pytest.fixture
def server(tmp_path: Path) -> MlflowServer:
    text = rendered("mlflow.yaml", "mlflow.enabled=true", "mlflow.allowedHosts={mlflow.example}", namespace="tuning")
    (pod,) = (o["spec"]["template"]["spec"] for o in yaml.safe_load_all(text) if o and o["kind"] == "Deployment")
    arguments = [argument.replace("/var/lib/mlflow", str(tmp_path)) for argument in pod["containers"][0]["args"]]
    return MlflowServer(tmp_path, [a for a in arguments if not a.startswith(("--host=", "--port="))])


def status(server: MlflowServer, host: str) -> int:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", LIST, headers={"Host": host})
    return connection.getresponse().status


def test_it_answers_to_its_names_and_no_others(server: MlflowServer, tmp_path: Path) -> None:
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
        assert (tmp_path / "mlflow.db").is_file()
    finally:
        server.stop()
