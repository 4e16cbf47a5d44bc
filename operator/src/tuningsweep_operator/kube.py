"""The one module that talks to the Kubernetes API: plain manifests in and out, errors with status and message.

It uses the asyncio half of the official client for configuration, TLS and transport, without its generated models.
"""

import json
import logging
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Self

from aiohttp import ClientError
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient
from kubernetes.aio.client.exceptions import ApiException

from tuningsweep_api import names
from tuningsweep_operator.lease import Fence
from tuningsweep_operator.resources import LEASES, SWEEPS, Manifest, Resource

REQUEST_SECONDS = 15.0
PAGE = 250
LONGEST_RETRY_AFTER = 60.0
APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"

log = logging.getLogger(__name__)


class KubeError(Exception):
    """The API server refused or failed: `status` as in HTTP (0 if it could not be reached), `message` in its words."""

    def __init__(self, status: int, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after
        """Seconds that it wants to be left alone."""


def is_conflict(error: Exception) -> bool:
    """Whether somebody else wrote first: no fault, the next try starts from what is there then."""
    return isinstance(error, KubeError) and error.status == 409


def refusal(status: int, body: object, headers: Mapping[str, str] | None = None) -> KubeError:
    """The error for an answer; its words are in a Status object where there is one."""
    wanted = (headers or {}).get("Retry-After", "")
    retry_after = min(float(wanted), LONGEST_RETRY_AFTER) if wanted.isdigit() else 0.0
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body or "")
    try:
        text = json.loads(text)["message"]
    except (ValueError, KeyError, TypeError):
        text = text[:500] or f"HTTP status {status}"
    return KubeError(status, text, retry_after)


class Kube:
    """Calls of the API server; every call is bounded in time, and every write by the fence: it ends while we may write."""

    def __init__(self, client: ApiClient, fence: Fence) -> None:
        self._client = client
        self._fence = fence

    @classmethod
    async def connect(cls, fence: Fence) -> Self:
        """A client from the pod's service account, or from the user's kubeconfig outside a cluster."""
        try:
            config.load_incluster_config()
        except config.ConfigException:
            await config.load_kube_config()
        client = ApiClient()
        # With the environment trusted, aiohttp looks for a .netrc in a thread before every request.
        client.configuration.client_session_kwargs = {"trust_env": False}
        return cls(client, fence)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    async def get(self, resource: Resource, namespace: str, name: str) -> Manifest | None:
        """An object, or None where there is none."""
        try:
            return await self._call("GET", resource.path(namespace, name))
        except KubeError as error:
            if error.status == 404:
                return None
            raise

    async def list_all(self, resource: Resource, **query: str) -> AsyncIterator[Manifest]:
        """All objects of the cluster, read page by page, so that a large cluster is never in memory whole."""
        query |= {"limit": str(PAGE)}
        while True:
            page = await self._call("GET", resource.everywhere, query=query)
            for item in page["items"]:
                yield item
            more = page["metadata"].get("continue")
            if not more:
                return
            query["continue"] = more

    async def apply(self, resource: Resource, manifest: Manifest) -> Manifest:
        """Server-side apply with our field manager; conflicts are ours to win, these objects are the operator's."""
        metadata = manifest["metadata"]
        query = {"fieldManager": names.FIELD_MANAGER, "force": "true"}
        return await self._call("PATCH", resource.path(metadata["namespace"], metadata["name"]), manifest, APPLY, query)

    async def create(self, resource: Resource, manifest: Manifest) -> Manifest | None:
        """Create an object; None if one of its name is there already."""
        query = {"fieldManager": names.FIELD_MANAGER}
        try:
            return await self._call("POST", resource.path(manifest["metadata"]["namespace"]), manifest, query=query)
        except KubeError as error:
            if error.status == 409:
                return None
            raise

    async def change(self, resource: Resource, namespace: str, name: str, operations: list[Manifest]) -> Manifest:
        """Apply a JSON patch."""
        return await self._call("PATCH", resource.path(namespace, name), operations, JSON_PATCH)

    async def replace_status(self, namespace: str, name: str, uid: str, status: Manifest) -> Manifest | None:
        """Replace the status of a sweep whole: a merge would keep entries of maps that are no longer there.

        None if the sweep of that uid is gone, whatever is there by its name.
        """
        patch: list[Manifest] = [
            {"op": "test", "path": "/metadata/uid", "value": uid},
            {"op": "add", "path": "/status", "value": status},
        ]
        try:
            return await self._call("PATCH", SWEEPS.path(namespace, name, "status"), patch, JSON_PATCH)
        except KubeError as error:
            if error.status not in (404, 422):
                raise
            # 422 stands for a test that failed as well as for a status that is no good.
            found = await self.get(SWEEPS, namespace, name)
            if found is not None and found["metadata"]["uid"] == uid:
                raise
            return None

    async def delete(self, resource: Resource, namespace: str, name: str, uid: str) -> None:
        """Delete the object of that uid; nothing if it is gone or another."""
        body = {"preconditions": {"uid": uid}, "propagationPolicy": "Background"}
        try:
            await self._call("DELETE", resource.path(namespace, name), body)
        except KubeError as error:
            if error.status not in (404, 409):
                raise

    async def put_lease(self, lease: Manifest, seconds: float) -> Manifest:
        """Create the Lease, or replace it if it is still the version that `lease` names; 409 if it is not.

        The one write without the fence, which stands on it: its own guard is the version.
        """
        metadata = lease["metadata"]
        if "resourceVersion" in metadata:
            path = LEASES.path(metadata["namespace"], metadata["name"])
            return await self._exchange("PUT", path, seconds, lease)
        return await self._exchange("POST", LEASES.path(metadata["namespace"]), seconds, lease)

    async def _call(
        self,
        method: str,
        path: str,
        body: Manifest | list[Manifest] | None = None,
        content_type: str = "application/json",
        query: dict[str, str] | None = None,
    ) -> Manifest:
        seconds = REQUEST_SECONDS
        if method != "GET":
            seconds = min(seconds, self._fence())
            if seconds <= 0.0:
                raise KubeError(0, "not written: this replica does not hold the lease")
            # The API server, too, gives the write up then: an answer that came too late would not have undone it.
            query = {**(query or {}), "timeout": f"{max(1, int(seconds * 1000))}ms"}
        return await self._exchange(method, path, seconds, body, content_type, query)

    async def _exchange(
        self,
        method: str,
        path: str,
        seconds: float,
        body: Manifest | list[Manifest] | None = None,
        content_type: str = "application/json",
        query: dict[str, str] | None = None,
    ) -> Manifest:
        headers = {"Accept": "application/json", "Content-Type": content_type}
        arguments = await self._client.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            response = await self._client.call_api(*arguments, _request_timeout=seconds)
            content = await response.read()
        except ApiException as error:
            raise refusal(error.status or 0, error.body or error.reason, error.headers) from error
        except (ClientError, OSError, TimeoutError) as error:
            raise KubeError(0, f"the API server can't be reached: {error!r}") from error
        if not 200 <= response.status < 300:
            raise refusal(response.status, content, response.headers)
        try:
            result: dict[str, Any] = json.loads(content)
        except ValueError as error:
            raise KubeError(0, f"what answers is no API server: {content[:100]!r}") from error
        return result
