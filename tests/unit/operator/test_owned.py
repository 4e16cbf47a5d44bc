"""Drift: what of a live object must be as built, and what others may add."""

from typing import Any, cast

import pytest

from support.sweeps import sweep_manifest
from tuningsweep_api.outcomes import ConditionReason
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_operator.builders.network_policy import build_network_policy
from tuningsweep_operator.kube import Kube, KubeError, refusal
from tuningsweep_operator.owned import OwnedObjects, claim_fields, contains, override_trouble, refusal_trouble
from tuningsweep_operator.resources import Resource
from tuningsweep_operator.settings import Settings
from unit.operator.observations import METADATA, sweep


@pytest.mark.parametrize(
    ("live", "wanted", "same"),
    [
        ({"a": 1, "added": 2}, {"a": 1}, True),
        ({"a": 2}, {"a": 1}, False),
        ({}, {"a": 1}, False),
        ({}, {"a": {}}, True),
        ({"l": [{"x": 1, "y": 2}]}, {"l": [{"x": 1}]}, True),
        ({"l": [{"x": 1}, {"x": 2}]}, {"l": [{"x": 1}]}, False),
        ({"l": "text"}, {"l": ["text"]}, False),
    ],
)
def test_contains(live: object, wanted: object, same: bool) -> None:
    assert contains(live, wanted) is same


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (KubeError(404, "not found"), ConditionReason.KUBERAY_NOT_INSTALLED),
        (KubeError(403, "exceeded quota: pods"), ConditionReason.QUOTA_EXCEEDED),
        (KubeError(422, "invalid"), ConditionReason.POD_REFUSED),
        (KubeError(429, "slow down"), None),
        (KubeError(500, "etcd"), None),
        (KubeError(0, "no route"), None),
    ],
)
def test_a_refusal_is_trouble_a_passing_fault_is_tried_again(error: KubeError, reason: ConditionReason | None) -> None:
    trouble = refusal_trouble(error)
    assert (None if trouble is None else trouble.reason) is reason


def test_the_api_servers_own_words_are_kept() -> None:
    assert refusal(422, b'{"kind":"Status","message":"spec.x: no"}').message == "spec.x: no"
    assert refusal(502, b"<html>").message == "<html>"


@pytest.mark.parametrize(("given", "seconds"), [("3", 3.0), ("3600", 60.0), ("soon", 0.0), (None, 0.0)])
def test_how_long_the_api_server_wants_to_be_left_alone(given: str | None, seconds: float) -> None:
    assert refusal(429, b"", {"Retry-After": given} if given else {}).retry_after == seconds


@pytest.mark.parametrize(
    ("account", "allowed", "refused"),
    [
        (None, (), False),
        ("bucket-reader", (), True),
        ("bucket-reader", ("other",), True),
        ("bucket-reader", ("other", "bucket-reader"), False),
        ("bucket-reader", ("*",), False),
    ],
)
def test_a_service_account_must_be_allowed_by_the_installation(
    account: str | None, allowed: tuple[str, ...], refused: bool
) -> None:
    manifest = sweep_manifest(spec__cluster={"podTemplate": {"serviceAccountName": account} if account else {}})
    trouble = override_trouble(TuningSweep.from_manifest(manifest), Settings(allowed_service_accounts=allowed))
    assert (trouble is not None) is refused
    if trouble is not None:
        assert trouble.reason is ConditionReason.OVERRIDE_NOT_ALLOWED
        assert "spec.cluster.podTemplate.serviceAccountName 'bucket-reader'" in trouble.message


def test_fields_that_we_set_by_create_are_claimed_for_apply_and_those_of_others_left() -> None:
    entries = [
        {"manager": "kuberay-operator", "operation": "Update"},
        {"manager": "tuningsweep-operator", "operation": "Update"},
        {"manager": "tuningsweep-operator", "operation": "Update", "subresource": "status"},
    ]
    patch = claim_fields({"metadata": {"resourceVersion": "7", "managedFields": entries}})
    assert patch == [
        {"op": "test", "path": "/metadata/resourceVersion", "value": "7"},
        {"op": "replace", "path": "/metadata/managedFields/1/operation", "value": "Apply"},
    ]
    applied = [{"manager": "tuningsweep-operator", "operation": "Apply"}]
    assert claim_fields({"metadata": {"resourceVersion": "7", "managedFields": applied}}) == []


class Cluster:
    """Stands for the API server: has objects by resource, and keeps what is applied."""

    def __init__(self, live: dict[str, dict[str, Any]]) -> None:
        self.live, self.applied = live, dict[str, dict[str, Any]]()

    async def get(self, resource: Resource, _: str, __: str) -> dict[str, Any] | None:
        return self.live.get(resource.plural)

    async def apply(self, resource: Resource, manifest: dict[str, Any]) -> dict[str, Any]:
        self.applied[resource.plural] = manifest
        return manifest

    async def create(self, resource: Resource, manifest: dict[str, Any]) -> dict[str, Any]:
        return await self.apply(resource, manifest)


def live(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "x", "ownerReferences": [{"uid": METADATA["metadata.uid"]}]}, "spec": spec}


async def test_a_claim_that_was_grown_is_left_as_it_is_and_one_that_is_gone_is_made() -> None:
    grown = live(resources={"requests": {"storage": "20Gi"}})
    for there, made in (({"persistentvolumeclaims": grown}, False), ({}, True)):
        cluster = Cluster(dict(there))
        await OwnedObjects(cast("Kube", cluster), Settings(trainer_image="trainer:1")).apply_inputs(sweep())
        assert ("persistentvolumeclaims" in cluster.applied) is made
        assert "configmaps" in cluster.applied


def test_a_policy_for_any_namespace_is_no_part_of_one_for_some() -> None:
    some = build_network_policy(sweep(), Settings(metrics_namespace_labels={"team": "monitoring"}))
    anyone = build_network_policy(sweep(), Settings())
    assert contains(anyone, anyone)
    assert not contains(some, anyone)
    assert not contains(anyone, some)
