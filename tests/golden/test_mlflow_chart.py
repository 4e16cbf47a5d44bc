"""The chart's optional MLflow server against a file; TUNINGSWEEP_UPDATE_GOLDEN=1 rewrites it."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.chart import rendered
from tuningsweep_api.names import LABEL_SWEEP

SWEEPS = {"matchExpressions": [{"key": LABEL_SWEEP, "operator": "Exists"}]}
FILE = Path(__file__).parent / "chart" / "mlflow.yaml"


def objects(*settings: str) -> dict[str, dict[str, Any]]:
    return {o["kind"]: o for o in yaml.safe_load_all(rendered("mlflow.yaml", "mlflow.enabled=true", *settings)) if o}


def test_it_is_off_by_default() -> None:
    assert rendered("mlflow.yaml") == ""


def test_the_server_is_as_recorded() -> None:
    text = rendered("mlflow.yaml", "mlflow.enabled=true")
    if os.environ.get("TUNINGSWEEP_UPDATE_GOLDEN") == "1":
        FILE.write_text(text)
    assert FILE.read_text() == text


def test_its_pod_is_restricted_and_has_no_token() -> None:
    pod = objects()["Deployment"]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in (*pod["initContainers"], *pod["containers"]):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_a_page_under_a_name_of_its_own_may_ask_the_server() -> None:
    deployment = objects("mlflow.allowedHosts={mlflow.example.com}")["Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert "--cors-allowed-origins=https://mlflow.example.com,http://mlflow.example.com" in container["args"]
    assert any(argument.endswith("mlflow.example.com,mlflow.example.com:*") for argument in container["args"])


@pytest.mark.parametrize(
    ("settings", "volume", "claims"),
    [
        ((), {"persistentVolumeClaim": {"claimName": "tuningsweep-mlflow"}}, True),
        (
            ("mlflow.persistence.existingClaim=mine",),
            {"persistentVolumeClaim": {"claimName": "mine"}},
            False,
        ),
        (("mlflow.persistence.enabled=false",), {"emptyDir": {}}, False),
    ],
)
def test_its_data_is_on_the_volume_asked_for(settings: tuple[str, ...], volume: dict[str, Any], claims: bool) -> None:
    made = objects(*settings)
    assert made["Deployment"]["spec"]["template"]["spec"]["volumes"][0] == {"name": "data", **volume}
    assert ("PersistentVolumeClaim" in made) is claims


def test_it_takes_the_trainers_image_unless_told_otherwise() -> None:
    def image(*settings: str) -> str:
        container = objects(*settings)["Deployment"]["spec"]["template"]["spec"]["containers"][0]
        return str(container["image"])

    assert image("trainer.image.repository=mirror/trainer", "trainer.image.tag=v7") == "mirror/trainer:v7"
    assert image("mlflow.image.repository=mlflow/mlflow", "mlflow.image.tag=v3.17.0") == "mlflow/mlflow:v3.17.0"


def test_pods_of_sweeps_reach_it_and_who_is_named() -> None:
    (rule,) = objects()["NetworkPolicy"]["spec"]["ingress"]
    assert rule["from"] == [{"podSelector": SWEEPS, "namespaceSelector": {}}]
    (port,) = objects()["Deployment"]["spec"]["template"]["spec"]["containers"][0]["ports"]
    assert rule["ports"] == [{"protocol": "TCP", "port": port["name"]}]
    more = "mlflow.allowedFrom[0].namespaceSelector.matchLabels.team=people"
    (rule,) = objects("watchNamespaces={a,b}", more)["NetworkPolicy"]["spec"]["ingress"]
    watched = {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["a", "b"]}]}
    assert rule["from"] == [
        {"podSelector": SWEEPS, "namespaceSelector": watched},
        {"namespaceSelector": {"matchLabels": {"team": "people"}}},
    ]


def test_its_policy_is_about_its_own_pods() -> None:
    made = objects()
    labels = made["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert made["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
    assert "NetworkPolicy" not in objects("networkPolicy.enabled=false")


@pytest.mark.parametrize("enabled", [True, False])
def test_the_operator_sends_sweeps_to_it_where_it_is_installed(enabled: bool) -> None:
    text = rendered("deployment.yaml", f"mlflow.enabled={str(enabled).lower()}", "mlflow.service.port=80")
    (pod,) = (o["spec"]["template"]["spec"] for o in yaml.safe_load_all(text) if o and o["kind"] == "Deployment")
    environment = {variable["name"]: variable.get("value") for variable in pod["containers"][0]["env"]}
    uri = environment.get("TUNINGSWEEP_MLFLOW_TRACKING_URI")
    (namespace,) = {o["metadata"]["namespace"] for o in yaml.safe_load_all(text) if o}
    assert uri == (f"http://tuningsweep-mlflow.{namespace}:80" if enabled else None)
