"""What the chart and the operator must agree on for a sweep to be protected: settings, labels of pods, ports."""

from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from support.chart import rendered, templated
from support.sweeps import BASE
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_operator.builders.network_policy import OPERATOR_LABELS, build_network_policy
from tuningsweep_operator.settings import Settings

KUBERAY = "networkPolicy.kuberayNamespaceLabels.team=ray"
PROMETHEUS = "networkPolicy.metricsNamespaceLabels.team=monitoring"


def deployment(*settings: str) -> dict[str, Any]:
    documents = yaml.safe_load_all(rendered("deployment.yaml", *settings, namespace="ours"))
    (found,) = [document for document in documents if document["kind"] == "Deployment"]
    return dict(found["spec"]["template"])


def settings_of(monkeypatch: pytest.MonkeyPatch, *values: str) -> Settings:
    """The settings that the operator reads from its environment."""
    for variable in deployment(*values)["spec"]["containers"][0]["env"]:
        if "value" in variable:
            monkeypatch.setenv(variable["name"], variable["value"])
        elif variable["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.namespace"}}:
            monkeypatch.setenv(variable["name"], "ours")
    return Settings()


def test_the_operator_reads_what_the_chart_says(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(
        monkeypatch, PROMETHEUS, "podOverrides.allowedServiceAccounts={a,b}", "ray.authentication=false"
    )
    assert settings.namespace == "ours"
    assert settings.metrics_namespace_labels == {"team": "monitoring"}
    assert settings.allowed_service_accounts == ("a", "b")
    assert (settings.network_policies, settings.ray_authentication) == (True, False)


def test_by_default_everything_is_on_and_no_override_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(monkeypatch)
    assert (settings.network_policies, settings.ray_authentication) == (True, True)
    assert (settings.allowed_service_accounts, settings.metrics_namespace_labels) == ((), {})
    assert settings.hold_back is False


def test_a_sweeps_policy_lets_in_the_pods_of_the_chart() -> None:
    assert OPERATOR_LABELS.items() <= deployment()["metadata"]["labels"].items()
    policy = build_network_policy(TuningSweep.from_manifest(BASE), Settings(namespace="ours"))
    control = policy["spec"]["ingress"][1]
    assert control["ports"] == [{"protocol": "TCP", "port": 8090}]
    assert control["from"] == [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ours"}},
            "podSelector": {"matchLabels": OPERATOR_LABELS},
        }
    ]


def test_where_kuberay_is_may_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = TuningSweep.from_manifest(BASE)
    anywhere = {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "Exists"}]}
    for values, selector in (((), anywhere), ((KUBERAY,), {"matchLabels": {"team": "ray"}})):
        policy = build_network_policy(sweep, settings_of(monkeypatch, *values))
        dashboard = policy["spec"]["ingress"][2]
        assert dashboard["ports"] == [{"protocol": "TCP", "port": 8265}]
        assert [peer["namespaceSelector"] for peer in dashboard["from"]] == [selector]


def test_the_operators_own_policy_lets_prometheus_in_alone() -> None:
    policy = yaml.safe_load(rendered("networkpolicy.yaml", PROMETHEUS))
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= deployment()["metadata"]["labels"].items()
    (rule,) = policy["spec"]["ingress"]
    assert rule["from"] == [{"namespaceSelector": {"matchLabels": {"team": "monitoring"}}}]
    assert rule["ports"] == [{"protocol": "TCP", "port": 8080}]


def test_switched_off_there_is_no_policy_and_no_right_to_make_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "networkpolic" not in templated("--set", "networkPolicy.enabled=false").lower()
    assert settings_of(monkeypatch, "networkPolicy.enabled=false").network_policies is False


def test_holding_back_needs_the_whole_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings_of(monkeypatch, "holdBack.enabled=true").hold_back is True
    with pytest.raises(AssertionError, match="leave watchNamespaces empty, or let Kueue"):
        rendered("deployment.yaml", "holdBack.enabled=true", "watchNamespaces={ours}")
    with pytest.raises(ValidationError, match="TUNINGSWEEP_HOLD_BACK needs the right to list nodes"):
        Settings(hold_back=True, watch_namespaces=("ours",))


def test_every_container_of_the_chart_is_read_only() -> None:
    for document in yaml.safe_load_all(templated("--set", "mlflow.enabled=true")):
        if document and document["kind"] == "Deployment":
            for container in document["spec"]["template"]["spec"]["containers"]:
                assert container["securityContext"]["readOnlyRootFilesystem"] is True
