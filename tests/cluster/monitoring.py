"""A real Prometheus made by a real Prometheus Operator in the test cluster, from the operator's own release bundle."""

import os
import urllib.parse
from pathlib import Path
from typing import Any

import yaml

from support.kubectl import Kubectl
from support.patience import eventually
from support.prometheus import Prometheus
from support.rig import rig_file

ROOT = Path(__file__).parents[2]
SELECTED = {"release": "test"}
"""The label by which this Prometheus selects monitors and rules, as that of kube-prometheus-stack does."""
_DEFINITION = "kind: CustomResourceDefinition\n"
ROLE = "tuningsweep-test-prometheus"


def versions() -> dict[str, str]:
    """versions.env."""
    lines = (line.partition("=") for line in (ROOT / "versions.env").read_text().splitlines())
    return {key: value for key, _, value in lines if value}


def _images() -> dict[str, str]:
    """Those that the rig makes; in a cluster that is given, those that the projects publish."""
    found = versions()
    version = found["PROMETHEUS_OPERATOR_VERSION"]
    given = os.environ.get("TUNINGSWEEP_TEST_IMAGES", "localhost") != "localhost"
    operator = "quay.io/prometheus-operator" if given else "localhost"
    return {
        "prometheus": (
            f"quay.io/prometheus/prometheus:v{_release(found)}"
            if given
            else f"localhost/prometheus:{found['PROMETHEUS_VERSION']}"
        ),
        "operator": f"{operator}/prometheus-operator:{version}",
        "reloader": f"{operator}/prometheus-config-reloader:{version}",
    }


def _release(found: dict[str, str]) -> str:
    """Prometheus 3.x is the Go module v0.3xx."""
    return f"3.{found['PROMETHEUS_VERSION'].removeprefix('v0.3')}"


def definitions() -> str:
    """The CRDs of the release bundle, as they are: PyYAML can't read a lone `=` in them."""
    return "\n---\n".join(text for text in _documents() if _DEFINITION in text)


def _documents() -> list[str]:
    return rig_file("prometheus-operator", "bundle.yaml").read_text().split("\n---\n")


def operator(namespace: str) -> dict[str, dict[str, Any]]:
    """What the release bundle has beside the CRDs, by kind, with the rig's images, in a namespace instead of `default`."""
    texts = (text.replace("namespace: default", f"namespace: {namespace}") for text in _documents())
    manifests = [yaml.safe_load(text) for text in texts if _DEFINITION not in text]
    found = {manifest["kind"]: manifest for manifest in manifests}
    (container,) = found["Deployment"]["spec"]["template"]["spec"]["containers"]
    kept = [argument for argument in container["args"] if not argument.startswith(("--kubelet", "--prometheus-config"))]
    container["image"] = _images()["operator"]
    container["args"] = [
        *kept,
        f"--prometheus-config-reloader={_images()['reloader']}",
        "--config-reloader-cpu-request=10m",
    ]
    container["resources"]["requests"] = {"cpu": "20m", "memory": "64Mi"}
    del container["resources"]["limits"]["cpu"]
    return found


def install(kubectl: Kubectl) -> Prometheus:
    """Start both in the namespace of `kubectl`; returns once the Prometheus answers."""
    kubectl.run("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=definitions())
    kubectl.run("wait", "--for=condition=Established", "--timeout=300s", "crd", "prometheuses.monitoring.coreos.com")
    kubectl.apply(*operator(kubectl.namespace).values(), *_access(kubectl.namespace), _prometheus())
    running = Prometheus(lambda path: _fetch(kubectl, path))
    eventually(running.ready, "Prometheus answers")
    return running


def uninstall(kubectl: Kubectl) -> None:
    """Remove what is not in the namespace, which its fixture removes. Without the CRDs their objects are gone too."""
    kubectl.run("delete", "--ignore-not-found", "--wait=false", "-f", "-", stdin=definitions())
    for kind in ("ClusterRoleBinding", "ClusterRole"):
        kubectl.run("delete", kind, "--ignore-not-found", operator("")[kind]["metadata"]["name"], ROLE)


def _fetch(kubectl: Kubectl, path: str) -> str:
    """A path of the Prometheus, through the API server, which works in any cluster."""
    pod = f"/api/v1/namespaces/{kubectl.namespace}/pods/prometheus-test-0:9090/proxy"
    return kubectl.raw(pod + urllib.parse.quote(path, safe="/?=&%+"))


def _access(namespace: str) -> list[dict[str, Any]]:
    """What a Prometheus may look at, to find its targets."""
    rules = [
        {"apiGroups": [""], "resources": ["services", "endpoints", "pods"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["get", "list", "watch"]},
    ]
    group = "rbac.authorization.k8s.io"
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "prometheus"}},
        {"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": {"name": ROLE}, "rules": rules},
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": ROLE},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": ROLE},
            "subjects": [{"kind": "ServiceAccount", "name": "prometheus", "namespace": namespace}],
        },
    ]


def _prometheus() -> dict[str, Any]:
    """A Prometheus that takes monitors and rules with its label from every namespace."""
    selectors = {
        f"{kind}{suffix}": value
        for kind in ("podMonitor", "serviceMonitor", "rule")
        for suffix, value in (("Selector", {"matchLabels": SELECTED}), ("NamespaceSelector", {}))
    }
    security = {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "fsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "Prometheus",
        "metadata": {"name": "test"},
        "spec": {
            "image": _images()["prometheus"],
            "version": _release(versions()),
            "replicas": 1,
            "serviceAccountName": "prometheus",
            "securityContext": security,
            "evaluationInterval": "2s",
            "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}},
            **selectors,
        },
    }
