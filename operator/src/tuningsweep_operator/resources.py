"""The kinds of objects the operator handles, and the paths they have in the API."""

from dataclasses import dataclass
from typing import Any, Final

from tuningsweep_api import names

Manifest = dict[str, Any]
Key = tuple[str, str]
"""Namespace and name of a sweep."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of objects."""

    group: str
    version: str
    plural: str

    def path(self, namespace: str, name: str | None = None, subresource: str | None = None) -> str:
        """The URL path of the collection, or of one object (and its subresource)."""
        parts = [self._root, "namespaces", namespace, self.plural, *(part for part in (name, subresource) if part)]
        return "/".join(parts)

    @property
    def everywhere(self) -> str:
        """The URL path of all objects of the cluster."""
        return f"{self._root}/{self.plural}"

    @property
    def _root(self) -> str:
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"


SWEEPS = Resource(names.GROUP, names.VERSION, names.PLURAL)
RAY_JOBS = Resource("ray.io", "v1", "rayjobs")
RAY_CLUSTERS = Resource("ray.io", "v1", "rayclusters")
SECRETS = Resource("", "v1", "secrets")
CONFIG_MAPS = Resource("", "v1", "configmaps")
CLAIMS = Resource("", "v1", "persistentvolumeclaims")
NETWORK_POLICIES = Resource("networking.k8s.io", "v1", "networkpolicies")
EVENTS = Resource("", "v1", "events")
PODS = Resource("", "v1", "pods")
WORKLOADS = Resource("kueue.x-k8s.io", "v1beta1", "workloads")
NODES = Resource("", "v1", "nodes")
LEASES = Resource("coordination.k8s.io", "v1", "leases")

LABEL_CLUSTER: Final = "ray.io/cluster"
"""KubeRay's label of a pod: the RayCluster that it is of."""


def key_of(manifest: Manifest) -> Key:
    """Namespace and name of an object."""
    return manifest["metadata"]["namespace"], manifest["metadata"]["name"]
