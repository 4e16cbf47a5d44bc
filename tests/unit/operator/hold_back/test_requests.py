"""What pods ask of a node, as the scheduler adds it up, and what a sweep's pods would ask."""

from typing import Any

import pytest

from tuningsweep_api.quantities import any_quantity_value
from tuningsweep_operator.hold_back.requests import Amounts, needs_of, pod_requests
from unit.operator.observations import SETTINGS, sweep

GIB = 1 << 30


def container(memory: str, cpu: str = "100m", **fields: Any) -> dict[str, Any]:
    return {"resources": {"requests": {"memory": memory, "cpu": cpu}}, **fields}


@pytest.mark.parametrize(
    ("text", "value"),
    [("16Gi", 16 * GIB), ("1e3", 1000), ("7935740Ki", 7935740 * 1024), ("1E", 10**18), ("128974848000m", 128974848)],
)
def test_quantities_of_other_people_are_read(text: str, value: int) -> None:
    assert any_quantity_value(text) == value


def test_what_is_no_quantity_is_refused() -> None:
    with pytest.raises(ValueError, match="'12 apples' is not a Kubernetes quantity"):
        any_quantity_value("12 apples")


@pytest.mark.parametrize(
    ("spec", "memory"),
    [
        ({"containers": [container("1Gi"), container("2Gi")]}, 3),
        ({"containers": [container("1Gi"), {}]}, 1),
        ({"containers": [container("1Gi")], "initContainers": [container("4Gi")]}, 4),
        ({"containers": [container("1Gi")], "initContainers": [container("2Gi", restartPolicy="Always")]}, 3),
        (
            {
                "containers": [container("1Gi")],
                "initContainers": [container("2Gi", restartPolicy="Always"), container("4Gi")],
            },
            6,
        ),
        ({"containers": [container("1Gi")], "resources": {"requests": {"memory": "5Gi"}}}, 5),
        ({"containers": [container("1Gi")], "overhead": {"memory": "1Gi"}}, 2),
    ],
)
def test_a_pod_asks_for_what_the_scheduler_sets_aside(spec: dict[str, Any], memory: int) -> None:
    asked = pod_requests(spec)
    assert (asked["memory"], asked["pods"]) == (memory * GIB, 1)


def test_a_sweep_asks_for_its_head_and_its_first_workers() -> None:
    need = needs_of(
        sweep(
            spec__cluster={
                "workers": {"minReplicas": 2, "maxReplicas": 5, "trialsPerWorker": 4},
                "resourcesPerTrial": {"cpu": "500m", "memory": "1Gi", "gpu": 1},
                "podTemplate": {"nodeSelector": {"disk": "ssd"}},
            },
            spec__storage={"uri": "s3://bucket/sweeps"},
        ),
        SETTINGS,
    )
    head, *workers = need.pods
    autoscaler = Amounts(cpu=100, memory=GIB // 2)
    assert head.requests == Amounts(cpu=200, memory=2 * GIB, pods=1) + autoscaler
    asked = {"cpu": 2100, "memory": 5 * GIB + GIB // 2, "nvidia.com/gpu": 4, "pods": 1}
    assert [worker.requests for worker in workers] == [Amounts(asked)] * 2
    assert workers[0].node_selector == {"disk": "ssd"}
    assert [pod.component for pod in need.pods] == ["driver", "trainer", "trainer"]
    assert not need.on_one_node


def test_a_claim_for_one_node_keeps_a_sweeps_pods_together() -> None:
    assert needs_of(sweep(), SETTINGS).on_one_node
