from typing import Any

import pytest

from support.sweeps import BASE, edited
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_operator.builders.pods import build_worker_pod
from tuningsweep_operator.settings import Settings


def worker(pod_template: dict[str, Any], **spec: Any) -> dict[str, Any]:
    sweep = TuningSweep.from_manifest(edited(BASE, {"spec.cluster": {"podTemplate": pod_template}, **spec}))
    return dict(build_worker_pod(sweep, Settings())["spec"])


def test_what_is_named_twice_is_there_once() -> None:
    pod = worker({"imagePullSecrets": ["a", "b", "a"], "env": [{"name": "X", "value": v} for v in ("1", "2")]})
    assert pod["imagePullSecrets"] == [{"name": "a"}, {"name": "b"}]
    assert [v for v in pod["containers"][0]["env"] if v["name"] == "X"] == [{"name": "X", "value": "2"}]


@pytest.mark.parametrize(
    "affinity",
    [
        {"podAffinity": ["x"]},
        {"podAffinity": "x"},
        {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"x": 1}}},
    ],
)
def test_what_is_no_affinity_is_left_for_the_api_server_to_refuse(affinity: dict[str, Any]) -> None:
    claim = {"spec.storage": {"volumeClaim": {"accessMode": "ReadWriteOnce", "size": "1Gi"}}}
    assert worker({"affinity": affinity}, **claim)["affinity"] == affinity
    terms = worker({"affinity": {"podAffinity": None}}, **claim)["affinity"]["podAffinity"]
    assert len(terms["requiredDuringSchedulingIgnoredDuringExecution"]) == 1


@pytest.mark.parametrize(
    ("storage", "env", "told"),
    [
        ({"credentialsSecret": "keys"}, [], ["true"]),
        ({}, ["AWS_ACCESS_KEY_ID"], ["true"]),
        ({}, [], []),
        ({"credentialsSecret": "keys"}, ["AWS_EC2_METADATA_DISABLED"], ["theirs"]),
    ],
)
def test_the_metadata_service_is_not_asked_where_keys_are_given(
    storage: dict[str, str], env: list[str], told: list[str]
) -> None:
    pod = worker(
        {"env": [{"name": name, "value": "theirs"} for name in env]},
        **{"spec.storage": {"uri": "s3://bucket/team", **storage}},
    )
    found = [v["value"] for v in pod["containers"][0]["env"] if v["name"] == "AWS_EC2_METADATA_DISABLED"]
    assert found == told
