"""Issue A(a): the thesis' MNIST grid on a real cluster, with limits; status, Events, metrics and records agree trial by
trial."""

import collections
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cluster.sweeps import has_ended, is_true, pod_metrics, read_records, stop_events
from support.api_server import KubectlError
from support.kubectl import Kubectl
from support.patience import eventually
from support.sweeps import edited
from support.thesis import manifest_of

NAME = "mnist-svm"
MEMORY = {"memory": "250Mi"}
WINDOW = {"warmupSteps": 3, "windowSteps": 10}


@dataclass
class Scraped:
    """The highest value of every metric of a trial, and of the sweep by its last label, over all scrapes."""

    trials: dict[tuple[str, str], float] = field(default_factory=dict)
    outcomes: dict[str, float] = field(default_factory=dict)

    def take(self, exposition: str) -> None:
        """Take in one scrape."""
        for family in text_string_to_metric_families(exposition):
            for sample in family.samples:
                if "trial" in sample.labels:
                    key = sample.labels["trial"], sample.name
                    self.trials[key] = max(sample.value, self.trials.get(key, sample.value))
                elif sample.name == "tuningsweep_trials":
                    self.outcomes[sample.labels["outcome"]] = sample.value


def scrape(kubectl: Kubectl, name: str, scraped: Scraped) -> None:
    """Add what the trainer's metrics say now."""
    for pod in kubectl.items("pods", f"tuningsweep.io/sweep={name}"):
        try:
            scraped.take(pod_metrics(kubectl, pod["metadata"]["name"]))
        except KubectlError:
            continue  # the pod is starting or gone


def watch(kubectl: Kubectl, scraped: Scraped, reached: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
    """Follow the sweep and its metrics until it has reached something; the sweep then."""

    def look() -> dict[str, Any] | None:
        sweep = kubectl.get("tuningsweep", NAME)
        if reached(sweep):
            return sweep
        scrape(kubectl, NAME, scraped)
        return None

    return eventually(look, f"{NAME} {what}", every=0.3)


def four_succeeded(sweep: dict[str, Any]) -> bool:
    """Whether as many trials as there are of the smallest batch are done."""
    return bool(sweep.get("status", {}).get("trials", {}).get("succeeded", 0) >= 4)


def limit_the_step_time(kubectl: Kubectl, scraped: Scraped) -> None:
    """Once the trials of the smallest batches have ended, limit steps to what those of 3,000 rows exceed on any machine."""
    watch(kubectl, scraped, four_succeeded, "has four good trials")
    kubectl.patch("tuningsweep", NAME, {"spec": {"limits": {**WINDOW, "meanStepTime": "5ms"}}})


@pytest.mark.long
def test_trials_over_a_limit_are_stopped_and_everything_agrees(kubectl: Kubectl, openml_server: str) -> None:
    manifest = manifest_of(NAME, openml_server, steps=60, evaluate_every=20)
    kubectl.apply(edited(manifest, {"spec.limits": MEMORY, "spec.tracking": {"enabled": False}}))
    scraped = Scraped()
    limit_the_step_time(kubectl, scraped)
    sweep = watch(kubectl, scraped, has_ended, "has ended")
    assert is_true(sweep, "Complete"), sweep["status"]
    kubectl.run("wait", "--for=condition=Complete", f"tuningsweep/{NAME}", "--timeout=300s")

    records = read_records(kubectl, NAME)
    assert len(records) == len({record["trial"] for record in records}) == 16
    outcomes = {(int(r["parameters"]["batch_size"]), r["outcome"], r["reason"]) for r in records}
    print("outcomes by batch size:", sorted(outcomes))
    for record in records:
        print(
            record["trial"],
            record["parameters"],
            record["outcome"],
            record["reason"],
            record.get("observed"),
            record["peakMemory"],
        )
        if record["outcome"] == "LimitExceeded":
            assert record["observed"] > record["limit"]
        else:
            assert record["outcome"] == "Succeeded", record
            assert record["metrics"].keys() >= set(manifest["spec"]["objective"]["additionalMetricNames"]), record
    stopped = {r["trial"]: r for r in records if r["outcome"] == "LimitExceeded"}
    by_reason = {
        reason: {r["parameters"]["batch_size"] for r in stopped.values() if r["reason"] == reason}
        for reason in ("MemoryLimitExceeded", "MeanStepTimeLimitExceeded")
    }
    assert by_reason["MemoryLimitExceeded"] == {30000}, "a batch of 30,000 random rows is a copy of 188 MB"
    assert 3000 in by_reason["MeanStepTimeLimitExceeded"]
    assert {r["parameters"]["batch_size"] for r in records if r["outcome"] == "Succeeded"} >= {30}

    counts = sweep["status"]["trials"]
    assert counts["succeeded"] == 16 - len(stopped)
    assert counts["limitExceeded"] == len(stopped)
    assert counts["total"] == 16
    agree_with_status_and_events(kubectl, sweep, stopped)
    agree_with_metrics(scraped, {record["trial"]: record for record in records})


def agree_with_status_and_events(kubectl: Kubectl, sweep: dict[str, Any], stopped: dict[str, Any]) -> None:
    for stop in sweep["status"]["lastStops"]:
        assert stopped[stop["trial"]]["reason"] == stop["reason"]
    text = "\n".join(event["message"] for event in stop_events(kubectl, NAME))
    for trial in stopped:
        assert trial in text, text


def agree_with_metrics(scraped: Scraped, records: dict[str, dict[str, Any]]) -> None:
    """What was scraped while a trial ran lies within what its record says of its whole life."""
    seen = {trial for trial, _ in scraped.trials}
    assert seen <= set(records)
    print(f"{len(seen)} of {len(records)} trials were scraped while they ran")
    assert len(seen) >= 3, "trials of less than a second may fall between two scrapes, but not nearly all"
    for (trial, metric), value in scraped.trials.items():
        record = records[trial]
        if metric == "tuningsweep_trial_memory_bytes":
            assert 0 < value <= record["peakMemory"], (trial, value, record)
        elif metric == "tuningsweep_trial_memory_limit_bytes":
            assert value == 250 << 20
        elif metric == "tuningsweep_trial_steps_total":
            assert 0 <= value <= record["steps"], (trial, value, record)
    ended = collections.Counter(record["outcome"] for record in records.values())
    assert scraped.outcomes, "no scrape counted trials by outcome"
    assert all(count <= ended[outcome] for outcome, count in scraped.outcomes.items()), scraped.outcomes
