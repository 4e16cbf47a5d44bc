"""The NetworkPolicy of a sweep: its pods reach each other, everyone else only what he needs. Traffic out is left alone.

kubectl port-forward, and so the command line, comes through the node and is not concerned.
"""

from typing import Any, Final

from tuningsweep_api import names
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_operator.builders.common import network_policy_name, owned_metadata
from tuningsweep_operator.builders.pods import HEAD_PORTS, WORKER_PORTS
from tuningsweep_operator.resources import Manifest
from tuningsweep_operator.settings import Settings

OPERATOR_LABELS: Final = {"app.kubernetes.io/name": "tuningsweep", names.LABEL_COMPONENT: "operator"}
"""Of the operator's pods, as in the chart."""
KUBERAY_LABELS: Final = {"app.kubernetes.io/component": "kuberay-operator"}
"""Of KubeRay's pods, as in its chart: it submits the driver to the dashboard, with Ray's token."""


def build_network_policy(sweep: TuningSweep, settings: Settings) -> Manifest:
    """The manifest."""
    own = {"matchLabels": {names.LABEL_SWEEP: sweep.metadata.name}}
    operator = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": settings.namespace}},
        "podSelector": {"matchLabels": OPERATOR_LABELS},
    }
    kuberay = {
        "namespaceSelector": _selector(settings.kuberay_namespace_labels),
        "podSelector": {"matchLabels": KUBERAY_LABELS},
    }
    prometheus: dict[str, Any] = {"namespaceSelector": _selector(settings.metrics_namespace_labels)}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": owned_metadata(sweep, network_policy_name(sweep.metadata.name), "network"),
        "spec": {
            "podSelector": own,
            "policyTypes": ["Ingress"],
            "ingress": [
                {"from": [{"podSelector": own}]},
                {"from": [operator], "ports": _ports(names.CONTROL_PORT)},
                {"from": [kuberay], "ports": _ports(HEAD_PORTS["dashboard"])},
                {"from": [prometheus], "ports": _ports(*WORKER_PORTS.values())},
            ],
        },
    }


def _selector(labels: dict[str, str]) -> dict[str, Any]:
    if labels:
        return {"matchLabels": dict(labels)}
    # Any: every namespace has the label. An empty selector would be part of any that was applied before.
    return {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "Exists"}]}


def _ports(*numbers: int) -> list[dict[str, Any]]:
    return [{"protocol": "TCP", "port": number} for number in numbers]
