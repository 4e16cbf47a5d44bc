"""Drift: what of a live object must be as built, and what others may add."""

import pytest

from tuningsweep_api.outcomes import ConditionReason
from tuningsweep_operator.kube import KubeError, refusal
from tuningsweep_operator.owned import contains, refusal_trouble


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
