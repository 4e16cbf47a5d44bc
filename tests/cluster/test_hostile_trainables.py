"""Issue A(c): a trial that does not cooperate is stopped in the middle of its step, and the sweep goes on."""

import json
import time
from typing import Any

import pytest

from cluster.sweeps import function_sweep, is_true, read_records
from support.kubectl import Kubectl, KubectlError

LIMITS = {"memory": "600Mi", "stepTime": "3s"}
CASES = [
    ("allocates", "MemoryLimitExceeded"),
    ("hangs", "StepTimeLimitExceeded"),
    ("ignores_sigterm", "StepTimeLimitExceeded"),
    ("forks_hog", "MemoryLimitExceeded"),
]


def biggest_processes(kubectl: Kubectl, name: str) -> list[int]:
    """Resident bytes of the largest processes in the sweep's worker pods now."""
    script = (
        "import psutil, json; print(json.dumps(sorted((m.rss - m.shared for m in"
        " (p.memory_info() for p in psutil.process_iter())), reverse=True)[:3]))"
    )
    sizes: list[int] = []
    for pod in kubectl.items("pods", f"tuningsweep.io/sweep={name},ray.io/node-type=worker"):
        try:
            sizes += json.loads(kubectl.run("exec", pod["metadata"]["name"], "--", "python", "-c", script))
        except KubectlError:
            continue  # not started yet, or going away
    return sorted(sizes, reverse=True)


def run_to_the_end(kubectl: Kubectl, manifest: dict[str, Any], seconds: float) -> tuple[dict[str, Any], float]:
    """Apply and follow a sweep; the ended sweep, and seconds for which a stopped trial still held its memory."""
    name = manifest["metadata"]["name"]
    kubectl.apply(manifest)
    held = 0.0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        sweep = kubectl.get("tuningsweep", name)
        if is_true(sweep, "Complete") or is_true(sweep, "Failed"):
            return sweep, held
        if sweep.get("status", {}).get("lastStops"):
            time.sleep(1)
            sizes = biggest_processes(kubectl, name)
            held = max([held, *(float(size) for size in sizes)])
        time.sleep(0.5)
    raise AssertionError(f"{name} has not ended: {kubectl.get('tuningsweep', name).get('status')}")


@pytest.mark.parametrize(("function", "reason"), CASES)
def test_stopped_in_mid_step(kubectl: Kubectl, function: str, reason: str) -> None:
    name = function.replace("_", "-")
    manifest = function_sweep(name, function, spec__limits=LIMITS)
    sweep, largest_after_stop = run_to_the_end(kubectl, manifest, 180)
    assert is_true(sweep, "Complete"), sweep["status"]
    by_value = {str(record["parameters"]["x"]): record for record in read_records(kubectl, name)}
    assert (by_value["1"]["outcome"], by_value["1"]["reason"]) == ("LimitExceeded", reason)
    assert by_value["1"]["observed"] > by_value["1"]["limit"]
    assert {by_value[x]["outcome"] for x in ("0", "2", "3")} == {"Succeeded"}
    assert largest_after_stop < 600 * 2**20, "a stopped trial's memory was still held a second later"
