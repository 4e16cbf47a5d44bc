"""Prometheus in the cluster: a real Prometheus Operator takes the chart's monitors, and every panel of every dashboard has
data while a sweep runs."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cluster import monitoring
from cluster.release import rolled_back_after, upgrade
from cluster.sweeps import ONE_WORKER, function_sweep, trial_counts, wait_condition, wait_running
from support.chart import CHART
from support.dashboards import Target, targets
from support.kubectl import PATIENCE, Kubectl, eventually
from support.prometheus import Prometheus
from support.sweeps import edited

MONITORS = ("podMonitor", "serviceMonitor")
LIMITS = {"memory": "1Gi", "meanStepTime": "5s", "stepTime": "20s", "trialDuration": "10m"}


def monitors_on() -> list[str]:
    """Settings that switch everything on, selected by the test's Prometheus."""
    labels = json.dumps(monitoring.SELECTED)
    on = [f"monitoring.{name}.enabled=true" for name in (*MONITORS, "prometheusRule", "dashboards")]
    selected = [f"monitoring.{name}.labels={labels}" for name in (*MONITORS, "prometheusRule")]
    return [*on, *selected, *(f'monitoring.{name}.interval="1s"' for name in MONITORS)]


@pytest.fixture
def prometheus(kubectl: Kubectl) -> Iterator[Prometheus]:
    """A Prometheus that the operator configured from the chart's monitors."""
    settings = [part for setting in monitors_on() for part in ("--set-json", setting)]
    try:
        running = monitoring.install(kubectl)
        with rolled_back_after():
            upgrade(CHART, *settings)
            yield running
    finally:
        monitoring.uninstall(kubectl)


def without_data(prometheus: Prometheus, wanted: list[Target], variables: dict[str, str]) -> list[Target]:
    return [target for target in wanted if not target.has_data(prometheus, variables)]


def healthy_jobs(prometheus: Prometheus) -> set[str]:
    active = prometheus.get("targets")["activeTargets"]
    return {target["scrapePool"].split("/")[0] for target in active if target["health"] == "up"}


@pytest.mark.disruptive
def test_every_panel_has_data_while_a_sweep_runs(kubectl: Kubectl, prometheus: Prometheus) -> None:
    values = {"list": [str(number) for number in range(16)]}
    watched = {"spec.limits": LIMITS, "spec.parameters.0.feasibleSpace": values, "spec.maxTrialCount": 16}
    kubectl.apply(edited(function_sweep("watched", "counting", spec__cluster__workers=ONE_WORKER), watched))
    image = {"spec.cluster.image": "localhost/none:1", "spec.cluster.imagePullPolicy": "Never"}
    kubectl.apply(edited(function_sweep("stuck", "quick"), image))
    wait_running(kubectl, "watched", count=2)
    wait_condition(kubectl, "stuck", "Stalled", 60, "ImageUnavailable")
    eventually(
        lambda: {"podMonitor", "serviceMonitor"} <= healthy_jobs(prometheus), PATIENCE, "both monitors have targets"
    )
    kubectl.run("annotate", "tuningsweep", "watched", "tuningsweep.io/stop=trial-0001")

    variables = {"__rate_interval": "30s", "__range": "5m", "namespace": kubectl.namespace, "sweep": "watched"}
    missing = targets()

    def all_had_data() -> bool:
        missing[:] = without_data(prometheus, missing, variables)
        print("panels without data so far:", [target.name for target in missing])
        return not missing

    eventually(all_had_data, PATIENCE, "every panel has had data", every=3)
    _check_an_ended_trial_is_gone(kubectl, prometheus)
    _check_alerts(prometheus)


def _check_an_ended_trial_is_gone(kubectl: Kubectl, prometheus: Prometheus) -> None:
    """The trial that was stopped has no series of its own any more, and is counted."""
    assert trial_counts(kubectl, "watched")["stopped"] == 1
    eventually(
        lambda: not prometheus.query('{__name__=~"tuningsweep_trial_.*", trial="trial-0001"}'), 30, "its series end"
    )
    stopped = prometheus.query('tuningsweep_trials{sweep="watched", outcome="Stopped"}')
    assert [sample["value"][1] for sample in stopped] == ["1"]
    labels = stopped[0]["metric"]
    assert labels["namespace"] == kubectl.namespace
    assert "exported_namespace" not in labels


def _check_alerts(prometheus: Prometheus) -> None:
    rules: list[dict[str, Any]] = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
    assert len(rules) == 8
    assert {rule["health"] for rule in rules} == {"ok"}
    pending = {alert["labels"]["alertname"] for alert in prometheus.get("alerts")["alerts"]}
    assert "TuningSweepStalled" in pending
    assert "TuningSweepOperatorDown" not in pending
