"""What watches a sweep: a real Prometheus Operator takes the chart's monitors, and every panel of every dashboard has data
while the sweep runs; the chart's own MLflow server, which the sweep does not name, has it on record afterwards."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cluster import mlflow, monitoring
from cluster.release import rolled_back_after, upgrade
from cluster.sweeps import (
    ONE_WORKER,
    function_sweep,
    tell_trials,
    trial_counts,
    wait_condition,
    wait_running,
    wait_trials,
)
from support.chart import CHART
from support.dashboards import Target, targets
from support.kubectl import Kubectl
from support.patience import eventually
from support.prometheus import Prometheus
from support.sweeps import edited

NAME = "watched"
MOST = 16
MONITORS = ("podMonitor", "serviceMonitor")
LIMITS = {"memory": "1Gi", "meanStepTime": "1m", "stepTime": "10m", "trialDuration": "1h"}


def monitors_on() -> list[str]:
    """Settings that switch everything on, selected by the test's Prometheus."""
    labels = json.dumps(monitoring.SELECTED)
    on = [f"monitoring.{name}.enabled=true" for name in (*MONITORS, "prometheusRule", "dashboards")]
    selected = [f"monitoring.{name}.labels={labels}" for name in (*MONITORS, "prometheusRule")]
    return [*on, *selected, *(f'monitoring.{name}.interval="1s"' for name in MONITORS)]


@pytest.fixture
def watchers(kubectl: Kubectl) -> Iterator[tuple[Prometheus, str]]:
    """A Prometheus that the operator configured from the chart's monitors, and the address of the chart's MLflow server."""
    settings = [part for setting in monitors_on() for part in ("--set-json", setting)]
    try:
        running = monitoring.install(kubectl)
        with rolled_back_after():
            upgrade(CHART, *settings, *mlflow.SMALL)
            with mlflow.forwarded() as address:
                yield running, address
    finally:
        monitoring.uninstall(kubectl)
        mlflow.uninstall()


def without_data(prometheus: Prometheus, wanted: list[Target], variables: dict[str, str]) -> list[Target]:
    return [target for target in wanted if not target.has_data(prometheus, variables)]


def healthy_jobs(prometheus: Prometheus) -> set[str]:
    active = prometheus.get("targets")["activeTargets"]
    return {target["scrapePool"].split("/")[0] for target in active if target["health"] == "up"}


@pytest.mark.disruptive
def test_every_panel_has_data_while_a_sweep_runs_and_mlflow_has_it_on_record(
    kubectl: Kubectl, watchers: tuple[Prometheus, str]
) -> None:
    prometheus, server = watchers
    values = {"list": [str(number) for number in range(MOST)]}
    edits = {"spec.limits": LIMITS, "spec.parameters.0.feasibleSpace": values, "spec.maxTrialCount": MOST}
    edits["spec.trainable.arguments"] = {"steps": "50", "until_told_from": "1"}
    tracked = {"spec__cluster__workers": ONE_WORKER, "spec__tracking": {"enabled": True}}
    kubectl.apply(edited(function_sweep(NAME, "counting", **tracked), edits))
    image = {"spec.cluster.image": "localhost/none:1", "spec.cluster.imagePullPolicy": "Never"}
    kubectl.apply(edited(function_sweep("stuck", "quick"), image))
    wait_running(kubectl, NAME, count=2)
    wait_condition(kubectl, "stuck", "Stalled", 60, "ImageUnavailable")
    eventually(lambda: {"podMonitor", "serviceMonitor"} <= healthy_jobs(prometheus), "both monitors have targets")
    kubectl.run("annotate", "tuningsweep", NAME, "tuningsweep.io/stop=trial-0001")
    _check_panels(kubectl, prometheus)
    _check_an_ended_trial_is_gone(kubectl, prometheus)
    eventually(lambda: _alerts_are_right(prometheus), "its rules work, and one sweep is Stalled")
    # That is enough: those that run are the last.
    kubectl.patch("tuningsweep", NAME, {"spec": {"maxTrialCount": trial_counts(kubectl, NAME)["total"]}})
    tell_trials(kubectl, NAME)
    _check_record(kubectl, server, wait_condition(kubectl, NAME, "Complete"))


def _check_panels(kubectl: Kubectl, prometheus: Prometheus) -> None:
    variables = {"__rate_interval": "30s", "__range": "5m", "namespace": kubectl.namespace, "sweep": NAME}
    missing = targets()

    def all_had_data() -> bool:
        missing[:] = without_data(prometheus, missing, variables)
        print("panels without data so far:", [target.name for target in missing])
        return not missing

    eventually(all_had_data, "every panel has had data", every=3)


def _check_an_ended_trial_is_gone(kubectl: Kubectl, prometheus: Prometheus) -> None:
    """The trial that was stopped has no series of its own any more, and is counted."""
    wait_trials(kubectl, NAME, "stopped", 1)
    eventually(lambda: not prometheus.query('{__name__=~"tuningsweep_trial_.*", trial="trial-0001"}'), "its series end")
    count = 'tuningsweep_trials{sweep="watched", outcome="Stopped"}'
    stopped = eventually(lambda: prometheus.query(count), "it is counted")
    assert [sample["value"][1] for sample in stopped] == ["1"]
    labels = stopped[0]["metric"]
    assert labels["namespace"] == kubectl.namespace
    assert "exported_namespace" not in labels


def _alerts_are_right(prometheus: Prometheus) -> bool:
    rules: list[dict[str, Any]] = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
    assert len(rules) == 8
    pending = {alert["labels"]["alertname"] for alert in prometheus.get("alerts")["alerts"]}
    healthy = {rule["health"] for rule in rules} == {"ok"}
    return healthy and "TuningSweepStalled" in pending and "TuningSweepOperatorDown" not in pending


def _check_record(kubectl: Kubectl, server: str, sweep: dict[str, Any]) -> None:
    """A parent run that has ended, and a run below it for every trial."""
    experiment = f"{kubectl.namespace}/{NAME}"

    def ended() -> bool:
        """What is told last is on its way while the operator already says Complete."""
        try:
            return bool(mlflow.parent_of(mlflow.runs_of(server, experiment))["status"] == "FINISHED")
        except (KeyError, ValueError):
            return False  # the experiment, or its parent run, is not there yet

    eventually(ended, "the parent run is ended")
    runs = mlflow.runs_of(server, experiment)
    parent = mlflow.parent_of(runs)
    trials = {run["tags"]["tuningsweep.trial"]: run for run in runs if run is not parent}
    assert parent["tags"]["tuningsweep.uid"] == sweep["metadata"]["uid"]
    best = sweep["status"]["currentOptimalTrial"]
    assert parent["metrics"]["best_objective"] == pytest.approx(float(best["objective"]))

    assert sorted(trials) == [f"trial-{number:04d}" for number in range(sweep["status"]["trials"]["total"])]
    assert {run["tags"]["mlflow.parentRunId"] for run in trials.values()} == {parent["run_id"]}
    stopped = trials.pop("trial-0001")
    assert (stopped["status"], stopped["tags"]["tuningsweep.outcome"]) == ("KILLED", "Stopped")
    assert {(run["status"], run["tags"]["tuningsweep.outcome"]) for run in trials.values()} == {
        ("FINISHED", "Succeeded")
    }
    assert sorted(run["params"]["x"] for run in trials.values()) == sorted(str(int(name[-4:])) for name in trials)
    assert trials[best["trial"]]["metrics"]["loss"] == pytest.approx(float(best["objective"]))
