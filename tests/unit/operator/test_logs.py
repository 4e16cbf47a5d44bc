"""The operator's log: JSON with the sweep on each line, and no word of Kueue where there is none."""

import json
import logging

import kopf
import pytest
from kopf._core.reactor.observation import _disable_mismatched_selectors

from tuningsweep_operator.logs import JsonFormatter, WithoutQueues


def selectors(*kinds: tuple[str, str, str]) -> frozenset[object]:
    """As kopf makes them of handlers."""
    registry = kopf.OperatorRegistry()
    for kind in kinds:
        kopf.on.event(*kind, registry=registry)(lambda **_: None)
    return frozenset(registry._watching.get_all_selectors())


QUEUES, JOBS = ("kueue.x-k8s.io", "v1beta1", "workloads"), ("ray.io", "v1", "rayjobs")


@pytest.mark.parametrize(("kinds", "warnings"), [((QUEUES,), 0), ((JOBS,), 1), ((QUEUES, JOBS), 1)])
def test_kopf_is_silent_about_kueue_alone(
    kinds: tuple[tuple[str, str, str], ...], warnings: int, caplog: pytest.LogCaptureFixture
) -> None:
    ours = WithoutQueues()
    _disable_mismatched_selectors(resources=set(), selectors=selectors(*kinds))  # type: ignore[arg-type]
    assert len(caplog.records) == 1, "kopf's words for it are others now"
    assert sum(ours.filter(record) for record in caplog.records) == warnings


def test_the_sweep_is_on_the_line() -> None:
    record = logging.makeLogRecord({"msg": "it has ended", "sweep": "digits", "namespace": "team"})
    line = json.loads(JsonFormatter().format(record))
    assert (line["sweep"], line["namespace"], line["message"]) == ("digits", "team", "it has ended")
