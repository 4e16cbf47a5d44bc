"""Issue B, packing: trials share a pod's memory; one that takes more than there is, is the only process the kernel kills."""

import time
from dataclasses import dataclass, field
from typing import Any

from cluster.sweeps import function_sweep, has_ended, is_true, read_records, tell_trials
from support.kubectl import Kubectl
from support.patience import PATIENCE

PACKED, HUNGRY = "packed", "hungry"
LIMIT = "600Mi"
"""Of 3 GiB in the pod Ray has some 1.3: two or three trials fit by this limit, though all would fit by what they take."""


@dataclass
class Seen:
    """What was seen of a sweep while it ran."""

    held: int = 0
    running: int = 0
    restarts: dict[str, int] = field(default_factory=dict)
    sweep: dict[str, Any] = field(default_factory=dict)

    def look(self, kubectl: Kubectl, name: str) -> bool:
        """Look at it now; whether it has ended."""
        self.sweep = kubectl.get("tuningsweep", name)
        trials = self.sweep.get("status", {}).get("trials", {})
        self.held, self.running = max(self.held, trials.get("held", 0)), max(self.running, trials.get("running", 0))
        for pod in kubectl.items("pods", f"tuningsweep.io/sweep={name}"):
            for status in pod["status"].get("containerStatuses", []):
                self.restarts[pod["metadata"]["name"]] = status["restartCount"]
        return has_ended(self.sweep)


def follow(kubectl: Kubectl, *names: str) -> dict[str, Seen]:
    """Follow sweeps until all have ended; those that pack go on until one trial was held beside two that ran."""
    seen = {name: Seen() for name in names}
    running, deadline, told = set(names), time.monotonic() + PATIENCE, False
    while running := {name for name in running if not seen[name].look(kubectl, name)}:
        assert time.monotonic() < deadline, {name: look.sweep.get("status") for name, look in seen.items()}
        if not told and seen[PACKED].held and seen[PACKED].running > 1:
            tell_trials(kubectl, PACKED)
            told = True
        time.sleep(0.5)
    return seen


def growing(name: str, mebibytes: list[str], seconds: str, **edits: Any) -> dict[str, Any]:
    """A sweep of trials that take so much memory each for so long, on the head."""
    parameters = [{"name": "mebibytes", "parameterType": "categorical", "feasibleSpace": {"list": mebibytes}}]
    edits = {
        "parameters": parameters,
        "trainable__arguments": {"seconds": seconds},
        "maxTrialCount": len(mebibytes),
    } | edits
    small = {"cpu": "100m", "memory": "512Mi"}
    edits["cluster__resourcesPerTrial"] = small
    return function_sweep(name, "grows", **{f"spec__{field}": value for field, value in edits.items()})


def test_trials_are_held_not_killed_and_of_a_pod_that_is_too_small_only_the_trial_dies(kubectl: Kubectl) -> None:
    modest = ["150", "165", "180", "200"]
    packed = growing(PACKED, modest, "600", parallelTrialCount="Auto", limits={"memory": LIMIT})
    hungry = growing(HUNGRY, ["150", "100000", "200"], "5", parallelTrialCount=1)
    kubectl.apply(packed, hungry)
    seen = follow(kubectl, PACKED, HUNGRY)

    assert all(is_true(look.sweep, "Complete") for look in seen.values()), seen
    assert {record["outcome"] for record in read_records(kubectl, PACKED)} == {"Succeeded"}
    assert seen[PACKED].held >= 1
    assert seen[PACKED].running >= 2

    ended = {record["parameters"]["mebibytes"]: record for record in read_records(kubectl, HUNGRY)}
    assert {name: (record["outcome"], record["reason"]) for name, record in ended.items()} == {
        "150": ("Succeeded", "Completed"),
        "100000": ("Failed", "OOMKilled"),
        "200": ("Succeeded", "Completed"),
    }
    assert ended["100000"]["peakMemory"] > 1 << 30, "it had most of the pod's memory, no limit of its own"
    assert {record["attempts"] for record in ended.values()} == {1}
    for look in seen.values():
        assert list(look.restarts.values()) == [0], "Ray and the pod survive"
