"""Results on a claim whose cluster is gone: a short-lived pod mounts it, files are read through exec.

The pod runs under the restricted standard, sees the claim read-only, is owned by the sweep, and ends by itself.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tuningsweep_api import names
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_cli.cluster import PODS, Cluster, NotFoundError
from tuningsweep_cli.exits import CommandError, Exit
from tuningsweep_operator.builders.common import claim_name, config_map_name, container_security, pod_security
from tuningsweep_operator.builders.pods import build_head_pod
from tuningsweep_operator.resources import CONFIG_MAPS, RAY_JOBS, Manifest
from tuningsweep_operator.settings import Settings

LIFETIME_SECONDS: Final = 1800
"""A report reads hundreds of files, each by an exec of its own, and the API server may be far away."""
START_SECONDS: Final = 120.0


class PodStore:
    """The part of a store that reading takes, by exec of cat and ls; paths are arguments, never a shell's text.

    The pod starts with the first read, and `close` deletes it.
    """

    def __init__(self, cluster: Cluster, sweep: TuningSweep) -> None:
        self._cluster, self._sweep = cluster, sweep
        self._pod: str | None = None

    def close(self) -> None:
        """Delete the pod, if it was started."""
        if self._pod is not None:
            self._cluster.delete(PODS, self._pod)

    def _run(self, program: str, path: str, *options: str) -> bytes | None:
        if self._pod is None:
            self._pod = start_reader(self._cluster, self._sweep)
        full = f"{names.RESULTS_MOUNT}/{self._sweep.metadata.name}/{path}"
        content, code = self._cluster.run(self._pod, program, *options, "--", full)
        return None if code else content

    def read(self, path: str) -> bytes | None:
        """Content of a file, None if there is none."""
        return self._run("cat", path)

    def lines(self, path: str) -> Iterator[bytes]:
        """Lines of a file."""
        return (line for line in (self.read(path) or b"").split(b"\n") if line)

    def names(self, path: str) -> list[str]:
        """Names in a folder; what is being written is left out."""
        return sorted((self._run("ls", path, "-1") or b"").decode().splitlines())

    def download(self, path: str, folder: Path) -> None:
        """Copy the files of a folder; folders below it are copied too."""
        for name in self.names(path):
            content = self.read(f"{path}/{name}")
            if content is None:
                self.download(f"{path}/{name}", folder / name)
            else:
                folder.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(content)

    def write(self, path: str, content: bytes) -> None:
        """Not here: the claim is mounted read-only."""
        raise NotImplementedError

    def append(self, path: str, line: bytes, *, durable: bool = True) -> None:
        """Not here: the claim is mounted read-only."""
        raise NotImplementedError

    def upload(self, folder: Path, path: str) -> None:
        """Not here: the claim is mounted read-only."""
        raise NotImplementedError

    def delete(self, path: str) -> None:
        """Not here: the claim is mounted read-only."""
        raise NotImplementedError


def start_reader(cluster: Cluster, sweep: TuningSweep) -> str:
    """The name of a running reader pod; CommandError if it does not start, and then it is deleted again."""
    pod = str(cluster.create(PODS, reader_pod(sweep, head_of(cluster, sweep)))["metadata"]["name"])
    try:
        _wait_running(cluster, pod)
    except BaseException:
        cluster.delete(PODS, pod)
        raise
    return pod


def head_of(cluster: Cluster, sweep: TuningSweep) -> dict[str, Any]:
    """Pod spec of the sweep's head, as it was or would be: in a queue, a sweep that does not run has no RayJob."""
    name = sweep.metadata.name
    try:
        ray_job = cluster.get(RAY_JOBS, name)
    except NotFoundError:
        annotations = cluster.get(CONFIG_MAPS, config_map_name(name))["metadata"].get("annotations", {})
        image = annotations.get(names.ANNOTATION_TRAINER_IMAGE)
        settings = Settings() if image is None else Settings(trainer_image=image)
        head: dict[str, Any] = build_head_pod(sweep, settings, runs_trials=False, autoscaled=False)["spec"]
        return head
    spec: dict[str, Any] = ray_job["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]
    return spec


def _wait_running(cluster: Cluster, pod: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        status = cluster.get(PODS, pod)["status"]
        if status.get("phase") == "Running":
            return
        if status.get("phase") in ("Failed", "Succeeded") or time.monotonic() > deadline:
            raise CommandError(f"pod {pod}, which reads the results, does not start: {_why(status)}", Exit.CLUSTER)
        time.sleep(0.3)


def _why(status: Manifest) -> str:
    waiting = [c.get("state", {}).get("waiting", {}) for c in status.get("containerStatuses", [])]
    words = [w.get("message") or w["reason"] for w in waiting if w.get("reason")]
    words += [c["message"] for c in status.get("conditions", []) if c.get("message")]
    return "; ".join(words) or f"phase {status.get('phase')}"


def reader_pod(sweep: TuningSweep, head: dict[str, Any]) -> Manifest:
    """The manifest; `head` is the pod spec of the sweep's head, whose image and node the reader takes as well.

    It does not carry the sweep's label: the operator would count it among the pods of the sweep's cluster.
    """
    container = head["containers"][0]
    kept = ("nodeSelector", "tolerations", "affinity", "imagePullSecrets", "priorityClassName")
    owner = {"apiVersion": names.API_VERSION, "kind": names.KIND, "name": sweep.metadata.name}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": f"{sweep.metadata.name}-reader-",
            "labels": {names.LABEL_MANAGED_BY: "tuningsweep-cli", names.LABEL_COMPONENT: "reader"},
            "ownerReferences": [{**owner, "uid": sweep.metadata.uid}],
        },
        "spec": {
            **{field: head[field] for field in kept if field in head},
            "restartPolicy": "Never",
            "activeDeadlineSeconds": LIFETIME_SECONDS,
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": pod_security(),
            "volumes": [
                {"name": "results", "persistentVolumeClaim": {"claimName": claim_name(sweep), "readOnly": True}}
            ],
            "containers": [
                {
                    "name": "reader",
                    "image": container["image"],
                    "imagePullPolicy": container.get("imagePullPolicy", "IfNotPresent"),
                    "command": ["sleep", str(LIFETIME_SECONDS)],
                    "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}},
                    "volumeMounts": [{"name": "results", "mountPath": names.RESULTS_MOUNT, "readOnly": True}],
                    "securityContext": container_security(),
                }
            ],
        },
    }
