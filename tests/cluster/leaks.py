"""Where a secret of a running sweep could have been written, and that it was not."""

from typing import Any

from cluster.sweeps import pod_metrics
from support.kubectl import Kubectl

OPERATORS = (
    (Kubectl("tuningsweep-system"), "app.kubernetes.io/component=operator"),
    (Kubectl("kuberay-system"), "app.kubernetes.io/component=kuberay-operator"),
)


def check_nothing_written(kubectl: Kubectl, name: str, pods: list[dict[str, Any]], secrets: list[str]) -> None:
    """No log of any container, no object, no file that Ray, driver or trials wrote, no metric has one of the secrets."""
    texts = {"events": kubectl.run("get", "events", "-o", "json")}
    texts |= {
        kind: kubectl.run("get", kind, "-o", "json") for kind in ("sweeps", "rayjobs,rayclusters,pods", "configmaps")
    }
    for namespace, where in ((kubectl, f"tuningsweep.io/sweep={name}"), *OPERATORS):
        texts[where] = namespace.run("logs", "-l", where, "--all-containers", "--tail=-1", "--prefix")
    for pod in pods:
        texts[f"metrics of {pod['metadata']['name']}"] = pod_metrics(kubectl, pod["metadata"]["name"])
    assert all(texts.values())
    for where, text in texts.items():
        assert not [secret for secret in secrets if secret in text], f"a secret is in: {where}"
    for pod in pods:
        assert _files_with(kubectl, pod, name), "the search finds nothing at all"
        for secret in secrets:
            found = _files_with(kubectl, pod, secret)
            assert not found, f"a secret is in {found} of {pod['metadata']['name']}"


def _files_with(kubectl: Kubectl, pod: dict[str, Any], text: str) -> list[str]:
    """Files that a pod wrote in which a text is."""
    look = ["grep", "-rlsF", "--", text, "/tmp", "/var/lib/tuningsweep", "/dev/shm"]
    return kubectl.run("exec", pod["metadata"]["name"], "--", "sh", "-c", '"$@" || true', "sh", *look).split()
