"""Drift: what of a live object must be as built, and what others may add."""

import pytest

from support.sweeps import sweep_manifest
from tuningsweep_api.outcomes import ConditionReason
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_operator.kube import KubeError, refusal
from tuningsweep_operator.owned import claim_fields, contains, override_trouble, refusal_trouble
from tuningsweep_operator.settings import Settings


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
