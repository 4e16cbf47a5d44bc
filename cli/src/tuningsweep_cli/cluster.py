"""The one module of the command line that talks to Kubernetes: the user's kubeconfig and rights, plain manifests.

Every refusal becomes a CommandError: what was refused, and what to do about it. Every call is bounded in time.
"""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import urllib3
import yaml
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from kubernetes.stream import portforward, stream, ws_client
from websocket import WebSocketException

from tuningsweep_api import names
from tuningsweep_cli.exits import CommandError, Exit
from tuningsweep_cli.forwarding import ANSWER_SECONDS, Forwarded, secured
from tuningsweep_cli.kubeconfig import choose_context, location
from tuningsweep_cli.options import ClusterOptions
from tuningsweep_cli.websockets import BoundedWebSocket
from tuningsweep_operator.access import ControlAccess
from tuningsweep_operator.resources import SWEEPS, Manifest, Resource

REQUEST_SECONDS: Final = (5.0, ANSWER_SECONDS)
"""To connect, and to answer."""
EXEC_SECONDS: Final = 60.0
MERGE_PATCH: Final = "application/merge-patch+json"
PODS: Final = Resource("", "v1", "pods")
NOT_INSTALLED: Final = (
    "the cluster has no TuningSweep resources; install TuningSweep first (README, On a cluster), or choose another"
    " cluster with --context"
)

# No option of the library bounds it: _request_timeout is ignored while it connects, and a frame is waited for for ever.
ws_client.WebSocket = BoundedWebSocket  # type: ignore[attr-defined]


class NotFoundError(CommandError):
    """There is no such object."""

    def __init__(self, message: str) -> None:
        super().__init__(message, Exit.NOT_FOUND)


class ConflictError(CommandError):
    """Somebody else changed the object in between."""


class Cluster:
    """Calls of the API server with a user's rights."""

    def __init__(self, options: ClusterOptions) -> None:
        self._client, context_namespace = _connect(options)
        self.namespace = options.namespace or context_namespace or "default"

    def get(self, resource: Resource, name: str, namespace: str | None = None) -> Manifest:
        """An object; NotFoundError if there is none."""
        return self._call("GET", resource.path(namespace or self.namespace, name))

    def items(self, resource: Resource, selector: str = "", *, everywhere: bool = False) -> list[Manifest]:
        """Objects of a kind in the namespace or in all, by label."""
        path = resource.path(self.namespace)
        if everywhere:
            path = path.replace(f"/namespaces/{self.namespace}", "")
        query = {"labelSelector": selector} if selector else {}
        return list(self._call("GET", path, query=query)["items"])

    def patch(self, resource: Resource, name: str, patch: Manifest) -> Manifest:
        """A merge patch; ConflictError if it names a resourceVersion that is no longer current."""
        return self._call("PATCH", resource.path(self.namespace, name), patch, content_type=MERGE_PATCH)

    def create(self, resource: Resource, manifest: Manifest) -> Manifest:
        """Create an object; the API server may choose its name."""
        return self._call("POST", resource.path(self.namespace), manifest)

    def delete(self, resource: Resource, name: str) -> None:
        """Delete an object at once."""
        self._call("DELETE", resource.path(self.namespace, name), {"gracePeriodSeconds": 0})

    @contextmanager
    def http(self, pod: str, port: int, access: ControlAccess) -> Iterator[http.client.HTTPConnection]:
        """A connection to a driver's port through the API server; good for one request. OSError if it is another's."""
        api = client.CoreV1Api(self._client)
        with _connecting(f"port-forward to pod {pod}"):
            forward = portforward(api.connect_get_namespaced_pod_portforward, pod, self.namespace, ports=str(port))
        try:
            yield Forwarded(secured(forward.socket(port), access))
        finally:
            forward.close()

    def run(self, pod: str, *command: str) -> tuple[bytes, int]:
        """Standard output and exit code of a command in a pod; no shell is involved."""
        api = client.CoreV1Api(self._client)
        with _connecting(f"exec in pod {pod}"):
            session = stream(
                api.connect_get_namespaced_pod_exec,
                pod,
                self.namespace,
                command=list(command),
                stdout=True,
                stderr=True,
                binary=True,
                _preload_content=False,
            )
        with _closing(session):
            try:
                session.run_forever(timeout=EXEC_SECONDS)
            except (WebSocketException, OSError) as error:
                raise CommandError(
                    f"the connection to pod {pod} broke off: {error}; try again", Exit.CLUSTER
                ) from error
            if session.is_open():
                raise CommandError(f"pod {pod} did not answer within {EXEC_SECONDS:.0f} s; try again", Exit.CLUSTER)
            output = session.read_channel(1)
            return output, _exit_code(session.read_channel(3))

    def _call(
        self,
        method: str,
        path: str,
        body: Manifest | None = None,
        *,
        query: dict[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Manifest:
        headers = {"Accept": "application/json", "Content-Type": content_type}
        arguments = self._client.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            response = self._client.call_api(*arguments, _request_timeout=REQUEST_SECONDS)
            content = response.read()
        except ApiException as error:
            raise _refusal(error, f"{method} {path}") from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _unreachable(self._client.configuration.host, error) from error
        if not 200 <= response.status < 300:
            raise _refusal(ApiException(status=response.status, reason=content), f"{method} {path}")
        answer: Manifest = json.loads(content)
        return answer


@contextmanager
def _connecting(what: str) -> Iterator[None]:
    """A refusal in the block becomes its sentence; a Ctrl-C stays one, which the library makes a refusal of."""
    try:
        yield
    except ApiException as error:
        if isinstance(error.__context__, KeyboardInterrupt | SystemExit):
            raise error.__context__ from None
        raise _refusal(error, what) from error


@contextmanager
def _closing(session: Any) -> Iterator[None]:
    try:
        yield
    finally:
        session.close()


def _exit_code(status: bytes) -> int:
    """The exit code in the Status object that ends an exec session."""
    answer = yaml.safe_load(status or b"{}") or {}
    if answer.get("status") == "Success":
        return 0
    causes = answer.get("details", {}).get("causes", [])
    code = next((cause["message"] for cause in causes if cause.get("reason") == "ExitCode"), None)
    if code is None:
        raise CommandError(f"the command in the pod failed: {answer.get('message', 'no reason given')}", Exit.CLUSTER)
    return int(code)


def _connect(options: ClusterOptions) -> tuple[client.ApiClient, str | None]:
    """A client, and the namespace of the context."""
    context, namespace = choose_context(options)
    try:
        settings = client.Configuration()
        settings.retries = False
        made = config.new_client_from_config(location(options), context, client_configuration=settings)
    except ConfigException as error:
        raise CommandError(f"the kubeconfig can't be used: {error}", Exit.CLUSTER) from error
    return made, namespace


def _unreachable(host: str, error: Exception) -> CommandError:
    return CommandError(
        f"the API server at {host} can't be reached ({type(error).__name__}); is the cluster up, and the context right?",
        Exit.CLUSTER,
    )


def _refusal(error: ApiException, what: str) -> CommandError:
    """The sentence for an answer of the API server."""
    words, named = _words(error)
    if error.status == 404:
        missing_kind = not named and f"/{names.GROUP}/" in what
        return CommandError(NOT_INSTALLED, Exit.CLUSTER) if missing_kind else NotFoundError(words)
    if error.status == 409:
        return ConflictError(words, Exit.CLUSTER)
    if error.status == 401:
        return CommandError("the API server does not accept the kubeconfig's credentials; log in again", Exit.CLUSTER)
    if error.status == 403 or "403" in words[:40]:
        return CommandError(
            f"you may not do this: {words}; ask for a Role with that right (manifests/cli-role.yaml has all of them)",
            Exit.CLUSTER,
        )
    if error.status in (400, 422):
        return CommandError(f"the API server refuses it: {words}")
    return CommandError(f"the API server failed: {what}: {words}", Exit.CLUSTER)


def _words(error: ApiException) -> tuple[str, bool]:
    """The API server's message, and whether it names an object (and not a kind that it does not know)."""
    body = error.body or error.reason or f"HTTP status {error.status}"
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body)
    try:
        status = json.loads(text)
        return str(status["message"]), bool(status.get("details", {}).get("name"))
    except (ValueError, KeyError, TypeError):
        return text.strip()[:500], False


def get_sweep(cluster: Cluster, name: str) -> Manifest:
    """The sweep's object; NotFoundError says where it was looked for."""
    try:
        return cluster.get(SWEEPS, name)
    except NotFoundError as error:
        raise NotFoundError(
            f"there is no TuningSweep {name!r} in namespace {cluster.namespace!r};"
            " `tuningsweep list -A` shows those of all namespaces"
        ) from error
