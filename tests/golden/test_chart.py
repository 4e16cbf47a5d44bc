"""The chart's monitors: off by default, and when on, they select what the operator and its builders make."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.chart import CHART, templated
from tuningsweep_operator.settings import Settings

PODS = Path(__file__).parent / "manifests" / "plain.yaml"
MONITORS = ("podMonitor", "serviceMonitor", "prometheusRule", "dashboards")
ALL_ON = tuple(f"monitoring.{name}.enabled=true" for name in MONITORS)


ALL = tuple(part for setting in (*ALL_ON, "mlflow.enabled=true") for part in ("--set-json", setting))


def render(*settings: str) -> list[dict[str, Any]]:
    """What `helm template` makes of the chart with these settings."""
    options = (part for setting in settings for part in ("--set-json", setting))
    return [document for document in yaml.safe_load_all(templated(*options, namespace="ours")) if document]


def find(manifests: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [manifest for manifest in manifests if manifest["kind"] == kind]


def one(kind: str, *settings: str) -> dict[str, Any]:
    (found,) = find(render(*settings), kind)
    return found


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Whether a label selector of equalities and Exists matches."""
    there = (expression["key"] in labels for expression in selector.get("matchExpressions", []))
    return selector["matchLabels"].items() <= labels.items() and all(there)


def pod_templates() -> list[dict[str, Any]]:
    """Pod templates of head and workers, as the builders make them."""
    (job,) = [document for document in yaml.safe_load_all(PODS.read_text()) if document["kind"] == "RayJob"]
    cluster = job["spec"]["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    return [group["template"] for group in groups]


def test_nothing_is_there_by_default() -> None:
    manifests = render()
    assert not [manifest for manifest in manifests if manifest["apiVersion"].startswith("monitoring.coreos.com/")]
    assert not find(manifests, "ConfigMap")


def test_the_pod_monitor_selects_the_pods_of_sweeps() -> None:
    spec = one("PodMonitor", *ALL_ON)["spec"]
    (endpoint,) = spec["podMetricsEndpoints"]
    templates = pod_templates()
    assert len(templates) == 2
    for template in templates:
        assert selects(spec["selector"], template["metadata"]["labels"])
        ports = [port["name"] for container in template["spec"]["containers"] for port in container["ports"]]
        assert endpoint["port"] in ports
    assert spec["namespaceSelector"] == {"any": True}


def test_a_pod_cannot_say_that_it_is_in_another_namespace() -> None:
    (endpoint,) = one("PodMonitor", *ALL_ON)["spec"]["podMetricsEndpoints"]
    assert endpoint["honorLabels"] is False
    assert {"action": "labeldrop", "regex": "exported_namespace"} in endpoint["metricRelabelings"]


def test_the_pod_monitor_looks_into_the_watched_namespaces_alone() -> None:
    monitor = one("PodMonitor", *ALL_ON, 'watchNamespaces=["a","b"]')
    assert monitor["spec"]["namespaceSelector"] == {"matchNames": ["a", "b"]}


def test_the_service_monitor_selects_the_operators_service() -> None:
    manifests = render(*ALL_ON)
    (monitor,), (service,) = find(manifests, "ServiceMonitor"), find(manifests, "Service")
    assert selects(monitor["spec"]["selector"], service["metadata"]["labels"])
    assert monitor["metadata"]["namespace"] == service["metadata"]["namespace"] == "ours"
    assert monitor["spec"]["endpoints"][0]["port"] in [port["name"] for port in service["spec"]["ports"]]


def test_the_rules_are_those_that_promtool_tests() -> None:
    """With the namespace of the release whose operator they look after."""
    rules = (CHART / "files" / "rules.yaml").read_text()
    assert rules.count('namespace="tuningsweep-system"') >= 5
    ours = yaml.safe_load(rules.replace('namespace="tuningsweep-system"', 'namespace="ours"'))
    assert one("PrometheusRule", *ALL_ON)["spec"] == ours


@pytest.mark.parametrize(
    ("settings", "operator", "trainer"),
    [
        ((), "operator:0.1.0", "trainer:0.1.0"),
        (('operator.image.tag="sha256:ab"', 'trainer.image.tag="2"'), "operator@sha256:ab", "trainer:2"),
        (('trainer.image.tag="sha256:cd"',), "operator:0.1.0", "trainer@sha256:cd"),
    ],
)
def test_images_are_named_by_tag_or_by_digest(settings: tuple[str, ...], operator: str, trainer: str) -> None:
    (deployment,) = find(render(*settings), "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"ghcr.io/tuningsweep/{operator}"
    assert {e["name"]: e.get("value") for e in container["env"]}["TUNINGSWEEP_TRAINER_IMAGE"].endswith(f"/{trainer}")


def test_names_that_look_like_numbers_stay_names() -> None:
    documents = yaml.safe_load_all(templated("--set-json", 'watchNamespaces=["1234"]', *ALL, namespace="123"))
    namespaces = {document["metadata"].get("namespace") for document in documents if document}
    assert namespaces == {None, "123", "1234"}


@pytest.mark.parametrize("setting", ['watchNamespaces=["a","a"]', 'operator.extraEnv=[{"name":"A","value":1}]'])
def test_what_would_be_refused_only_when_applied_is_refused_before(setting: str) -> None:
    with pytest.raises(AssertionError, match="don't meet the specifications of the schema"):
        render(setting)


def test_each_dashboard_is_a_config_map_behind_the_sidecars_label() -> None:
    maps = find(render(*ALL_ON, 'monitoring.dashboards.annotations={"grafana_folder":"Tuning"}'), "ConfigMap")
    shown = {}
    for config_map in maps:
        assert config_map["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert config_map["metadata"]["annotations"] == {"grafana_folder": "Tuning"}
        shown |= config_map["data"]
    files = {f"tuningsweep-{path.name}": path.read_text() for path in (CHART / "files" / "dashboards").glob("*.json")}
    assert len(files) == 3
    assert {name: json.loads(text) for name, text in shown.items()} == {k: json.loads(v) for k, v in files.items()}


@pytest.mark.parametrize("name", MONITORS)
def test_labels_of_your_own_come_on_top(name: str) -> None:
    before = {json.dumps(manifest["metadata"].get("labels")) for manifest in render()}
    settings = (f"monitoring.{name}.enabled=true", f'monitoring.{name}.labels={{"release":"kube-prometheus"}}')
    made = [m for m in render(*settings) if json.dumps(m["metadata"].get("labels")) not in before]
    assert made
    for manifest in made:
        assert manifest["metadata"]["labels"]["release"] == "kube-prometheus"
        assert manifest["metadata"]["labels"]["app.kubernetes.io/name"] == "tuningsweep"


def test_a_wrong_interval_is_refused() -> None:
    with pytest.raises(AssertionError, match="interval"):
        render('monitoring.podMonitor.interval="often"')


def test_replicas_agree_by_a_lease_of_their_own_namespace_alone() -> None:
    manifests = render()
    (role,) = [m for m in find(manifests, "Role") if m["metadata"]["name"].endswith("-lease")]
    assert role["metadata"]["namespace"] == "ours"
    assert "leases" not in json.dumps(find(manifests, "ClusterRole"))
    (deployment,) = find(manifests, "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    own = {"fieldRef": {"fieldPath": "metadata.namespace"}}
    assert {"name": "TUNINGSWEEP_NAMESPACE", "valueFrom": own} in container["env"], "wherever an overlay puts it"
    named = [rule["resourceNames"] for rule in role["rules"] if "create" not in rule["verbs"]]
    assert named == [[Settings().lease_name]]


def test_a_budget_keeps_one_replica_and_a_single_one_may_be_moved() -> None:
    pods = one("Deployment")["spec"]["template"]["metadata"]["labels"]
    budget = one("PodDisruptionBudget")["spec"]
    assert selects(budget["selector"], pods)
    assert budget["maxUnavailable"] == 1
    assert not find(render("operator.replicas=1"), "PodDisruptionBudget")


def test_an_affinity_of_your_own_replaces_the_soft_one() -> None:
    def affinity(*settings: str) -> dict[str, Any]:
        return one("Deployment", *settings)["spec"]["template"]["spec"]["affinity"]

    assert list(affinity()["podAntiAffinity"]) == ["preferredDuringSchedulingIgnoredDuringExecution"]
    assert affinity('operator.affinity={"nodeAffinity":{}}') == {"nodeAffinity": {}}
