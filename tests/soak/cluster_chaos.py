"""Chaos on a real cluster: operators, drivers, heads and workers killed at random, and what must hold (`make soak-cluster`).

Sweeps run a few at a time. At the end of each: every trial has one outcome, none has failed without having been tried
again, the status counts them all, what was on record before a kill is unchanged. After deletion nothing of a sweep is left.
Run through tests/cluster/rig/in-cluster.

Usage: python -m soak.cluster_chaos [--kills N] [--sweeps N] [--at-once N] [--seed S]
"""

import argparse
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cluster.sweeps import (
    ONE_WORKER,
    function_sweep,
    has_ended,
    head_pod,
    read_results,
    trainables_config_map,
    trial_counts,
)
from soak.soak import BrokenPromiseError, kept_records
from support.api_server import KubectlError
from support.kubectl import Kubectl
from support.patience import eventually
from tuningsweep_trainer.driver.tuner import SUPERVISOR_RETRIES

NAMESPACE = "chaos"
OPERATORS = Kubectl("tuningsweep-system")
OPERATOR_LABEL = "app.kubernetes.io/component=operator"
WEIGHTS = {"worker": 4, "driver": 3, "head": 2, "operator": 2}
PAUSE_SECONDS = (5.0, 25.0)
GONE_SECONDS = 180.0
OWNED = "rayjobs,rayclusters,pods,services,secrets,configmaps,persistentvolumeclaims,networkpolicies"
KILL_DRIVER = """
import os, psutil
for process in psutil.process_iter(["cmdline"]):
    command = process.info["cmdline"] or []
    if "tuningsweep_trainer.driver" in command and process.pid != os.getpid():
        process.kill()
        print("killed")
"""


@dataclass
class Chaos:
    """Sweeps under fire."""

    kubectl: Kubectl
    kills: int
    planned: int
    random: random.Random
    names: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Of each sweep, what was on record when it was last looked at."""

    def run(self, at_once: int) -> None:
        """Start sweeps as others end, more than planned if kills are left; strike meanwhile, check each that has ended."""
        running = set[str]()
        while running or len(self.names) < self.planned or self.counts.total() < self.kills:
            while len(running) < at_once and (len(self.names) < self.planned or self.counts.total() < self.kills):
                running.add(self.start())
            for name in [name for name in running if self.has_ended(name)]:
                self.check(name)
                running.discard(name)
            if running and self.counts.total() < self.kills:
                self.strike(self.random.choice(sorted(running)))
            time.sleep(self.random.uniform(*PAUSE_SECONDS))
        self.nothing_is_left()

    def start(self) -> str:
        """Make a sweep that survives as many kills as there may be."""
        name = f"chaos-{len(self.names)}"
        self.names.append(name)
        survivor = {"spec__backoffLimit": 100, "spec__maxFailedTrialCount": 4, "spec__cluster__workers": ONE_WORKER}
        self.kubectl.apply(function_sweep(name, "counting", **survivor))
        self.records[name] = {}
        print(f"{name} starts", flush=True)
        return name

    def has_ended(self, name: str) -> bool:
        """Whether a sweep is Complete or Failed."""
        return has_ended(self.kubectl.get("tuningsweep", name))

    def strike(self, name: str) -> None:
        """Kill something of a sweep, or an operator; nothing if it is not there at the moment."""
        victim = self.random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        self.look(name)
        try:
            done = self.kill(victim, name)
        except (KubectlError, AssertionError) as error:
            print(f"no {victim} of {name} to kill: {str(error)[:80]!r}", flush=True)
            return
        if done:
            self.counts[victim] += 1
            print(f"kill {self.counts.total()}: {victim} of {name}", flush=True)

    def kill(self, victim: str, name: str) -> bool:
        """Kill without grace; whether there was one."""
        if victim == "driver":
            return "killed" in self.kubectl.run("exec", head_pod(self.kubectl, name), "--", "python", "-c", KILL_DRIVER)
        if victim == "operator":
            return self.kill_pod(OPERATORS, OPERATOR_LABEL)
        return self.kill_pod(self.kubectl, f"tuningsweep.io/sweep={name},ray.io/node-type={victim}")

    def kill_pod(self, kubectl: Kubectl, selector: str) -> bool:
        """Delete one pod of a selector at once."""
        pods = [pod["metadata"]["name"] for pod in kubectl.items("pods", selector)]
        if pods:
            kubectl.run("delete", "pod", self.random.choice(pods), "--grace-period=0", "--force", "--wait=false")
        return bool(pods)

    def look(self, name: str) -> None:
        """What is on record stays: read where the head runs, since a reader pod would take longer than the trials."""
        path = f"/var/lib/tuningsweep/{name}/trials.jsonl"
        try:
            printed = self.kubectl.run("exec", head_pod(self.kubectl, name), "--", "cat", path)
        except (KubectlError, AssertionError):
            return  # no head, or nothing on record yet
        self.records[name] = kept_records(self.records[name], printed.splitlines())

    def check(self, name: str) -> None:
        """Every trial has one outcome, and the status has counted them; then the sweep is deleted."""
        lines = read_results(self.kubectl, name).splitlines()
        records = self.records[name] = kept_records(self.records[name], lines)
        counts = trial_counts(self.kubectl, name)
        if counts["total"] != len(records) or counts.get("pending") or counts.get("running"):
            raise BrokenPromiseError(f"{name}: {len(records)} records, but {counts}")
        for record in records.values():
            # Nothing is wrong with these trials, so one may fail only for having lost its supervisor again and again.
            if record["outcome"] == "Failed" and record["attempts"] <= SUPERVISOR_RETRIES:
                raise BrokenPromiseError(f"{name}: {record}")
        self.outcomes.update(record["outcome"] for record in records.values())
        print(f"{name} ended: {Counter(record['outcome'] for record in records.values())}", flush=True)
        # At once, for the node of the tests has volumes for some forty sweeps.
        self.kubectl.run("delete", "tuningsweep", name, "--timeout=60s")

    def nothing_is_left(self) -> None:
        """Wait until everything that the sweeps owned is gone."""
        for name in self.names:
            left = f"tuningsweep.io/sweep={name}"
            eventually(
                lambda left=left: not self.kubectl.items(OWNED, left), f"nothing is left of {name}", GONE_SECONDS
            )


def main() -> None:
    """Run and print what was counted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--sweeps", type=int, default=20)
    parser.add_argument("--at-once", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    cluster, kubectl, began = Kubectl("kube-system"), Kubectl(NAMESPACE), time.monotonic()
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}})
    kubectl.apply(trainables_config_map((Path(__file__).parents[1] / "support" / "trainables.py").read_text()))
    chaos = Chaos(kubectl, given.kills, given.sweeps, random.Random(given.seed))
    try:
        chaos.run(given.at_once)
    finally:
        cluster.run("delete", "namespace", NAMESPACE, "--wait=false")
    print(f"{chaos.counts.total()} kills in {time.monotonic() - began:.0f} s: {dict(chaos.counts)}")
    print(f"{len(chaos.names)} sweeps, outcomes {dict(chaos.outcomes)}; nothing left; no promise broken")


if __name__ == "__main__":
    sys.exit(main())
