"""Issue A(c): a trial that does not cooperate is stopped in the middle of its step, and the sweep goes on."""

import json
import time
from typing import Any

from cluster.sweeps import function_sweep, has_ended, is_true, read_records
from support.api_server import KubectlError
from support.kubectl import Kubectl
from support.patience import PATIENCE

LIMITS = {"memory": "600Mi", "stepTime": "20s"}
GIB = 1 << 30
REASONS = {
    "allocates": "MemoryLimitExceeded",
    "hangs": "StepTimeLimitExceeded",
    "ignores_sigterm": "StepTimeLimitExceeded",
    "forks_hog": "MemoryLimitExceeded",
}
PARAMETERS = [
    {"name": "behaviour", "parameterType": "categorical", "feasibleSpace": {"list": [*REASONS, "quick"]}},
]


def biggest_processes(kubectl: Kubectl, name: str) -> list[int]:
    """Resident bytes of the largest processes in the sweep's pod now."""
    script = (
        "import psutil, json; print(json.dumps(sorted((m.rss - m.shared for m in"
        " (p.memory_info() for p in psutil.process_iter())), reverse=True)[:3]))"
    )
    sizes: list[int] = []
    for pod in kubectl.items("pods", f"tuningsweep.io/sweep={name},ray.io/node-type=head"):
        try:
            sizes += json.loads(kubectl.run("exec", pod["metadata"]["name"], "--", "python", "-c", script))
        except KubectlError:
            continue  # not started yet, or going away
    return sorted(sizes, reverse=True)


def run_to_the_end(kubectl: Kubectl, manifest: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Apply and follow a sweep; the ended sweep, and the largest process (bytes) seen a second or more after a stop."""
    name = manifest["metadata"]["name"]
    kubectl.apply(manifest)
    largest = 0
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        sweep = kubectl.get("tuningsweep", name)
        if has_ended(sweep):
            return sweep, largest
        if sweep.get("status", {}).get("lastStops"):
            time.sleep(1)
            largest = max([largest, *biggest_processes(kubectl, name)])
        time.sleep(0.5)
    raise AssertionError(f"{name} has not ended: {kubectl.get('tuningsweep', name).get('status')}")


def test_each_is_stopped_in_mid_step_and_the_sweep_goes_on(kubectl: Kubectl) -> None:
    manifest = function_sweep(
        "hostile",
        "hostile",
        spec__limits=LIMITS,
        spec__parameters=PARAMETERS,
        spec__maxTrialCount=5,
    )
    sweep, largest_after_stop = run_to_the_end(kubectl, manifest)
    assert is_true(sweep, "Complete"), sweep["status"]
    records = {record["parameters"]["behaviour"]: record for record in read_records(kubectl, "hostile")}
    for behaviour, reason in REASONS.items():
        record = records[behaviour]
        assert (record["outcome"], record["reason"]) == ("LimitExceeded", reason), record
        assert record["observed"] > record["limit"]
        assert record["durationSeconds"] < PATIENCE, "by itself it would go on for hours"
    assert records["quick"]["outcome"] == "Succeeded"
    assert largest_after_stop < GIB, "a stopped trial's memory was still held a second later"
