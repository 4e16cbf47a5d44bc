"""The API server over a kept connection: tests that wait ask it again and again, and each kubectl is a process.

What a user does, tests do with kubectl; this is for looking at what becomes of it, and for many dry runs.
"""

import json
from typing import Any, Final

import urllib3
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from tuningsweep_operator.resources import Resource

SECONDS: Final = 60.0
DRY_RUN: Final = {"dryRun": "All", "fieldValidation": "Strict"}
"""As `kubectl apply --dry-run=server` asks."""


class KubectlError(AssertionError):
    """kubectl, or the API server that was asked in its place, refused; the message is what it said."""


class ApiServer:
    """Asked with the rights of a client."""

    def __init__(self, api: client.ApiClient) -> None:
        self._api = api

    def text(self, path: str, **query: str) -> str:
        """What the API server answers; KubectlError, as of kubectl, if it refuses or can't be reached."""
        status, answer = self._ask("GET", path, query)
        if status != 200:
            raise KubectlError(f"GET {path}: {status}: {answer[:1000]}")
        return answer

    def find(self, resource: Resource, namespace: str, name: str) -> dict[str, Any] | None:
        """An object, or None where there is none."""
        path = resource.path(namespace, name)
        status, answer = self._ask("GET", path, {})
        if status not in (200, 404):
            raise KubectlError(f"GET {path}: {status}: {answer[:1000]}")
        return dict(json.loads(answer)) if status == 200 else None

    def items(self, resource: Resource, namespace: str, selector: str | None = None) -> list[dict[str, Any]]:
        """Objects of a kind, by label."""
        query = {"labelSelector": selector} if selector else {}
        return list(json.loads(self.text(resource.path(namespace), **query))["items"])

    def refusal(self, resource: Resource, namespace: str, manifest: dict[str, Any]) -> str:
        """Why an object would not be created; empty if it would."""
        status, answer = self._ask("POST", resource.path(namespace), DRY_RUN, manifest)
        assert status in (201, 400, 422), answer
        return "" if status == 201 else str(json.loads(answer)["message"])

    def merge_status(self, resource: Resource, namespace: str, name: str, status: dict[str, Any]) -> None:
        """Write fields of an object's status, as `kubectl patch --subresource=status --type merge` does."""
        path = f"{resource.path(namespace, name)}/status"
        code, answer = self._ask("PATCH", path, {}, {"status": status}, "application/merge-patch+json")
        if code != 200:
            raise KubectlError(f"PATCH {path}: {code}: {answer[:1000]}")

    def _ask(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        body: dict[str, Any] | None = None,
        content: str = "application/json",
    ) -> tuple[int, str]:
        arguments = self._api.param_serialize(
            method,
            path,
            query_params=list(query.items()),
            header_params={"Accept": "application/json, */*", "Content-Type": content},
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            response = self._api.call_api(*arguments, _request_timeout=SECONDS)
            status, answer = response.status, response.read()
        except ApiException as error:
            status, answer = error.status, error.body
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise KubectlError(f"{method} {path}: {error}") from error
        return status, answer.decode() if isinstance(answer, bytes) else str(answer)
