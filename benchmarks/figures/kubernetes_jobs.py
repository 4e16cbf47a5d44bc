"""One Kubernetes Job per trial, the least that Katib's way of running trials costs; ours is a sweep on the same cluster.

Only where TUNINGSWEEP_BENCH_CLUSTER is set, inside tests/cluster/rig/in-cluster with the operator installed; elsewhere it has
no rows. The image is TUNINGSWEEP_BENCH_IMAGE, the trainer's.
"""

import json
import os
import subprocess
import time
from typing import Any

from benchmarks.rows import Goal, Row
from benchmarks.scale import PARALLEL, Scale
from benchmarks.systems.tuningsweep import manifest

JOBS = "one Kubernetes Job a trial"
PATIENCE = "600s"
TRIAL = "import json; [print(json.dumps({'loss': 1.0 / number}), flush=True) for number in range(1, 5)]"
NAME = "bench-jobs"


def measure(scale: Scale) -> list[Row]:
    """One row, or none without a cluster."""
    if not os.environ.get("TUNINGSWEEP_BENCH_CLUSTER"):
        return []
    trials = scale.pick(32, 4)
    few, many = _sweep(2, "bench-few"), _sweep(trials, "bench-many")
    ours = (many - few) / (trials - 2)
    note = f"{trials} trials, {PARALLEL} side by side on the test cluster; ours is the growth from a sweep of 2 trials"
    return [Row("time per trial on Kubernetes", "s", ours, {JOBS: _jobs(trials) / trials}, (Goal("<", 1, JOBS),), note)]


def _jobs(trials: int) -> float:
    """Seconds of an indexed Job: a pod a trial."""
    image = os.environ.get("TUNINGSWEEP_BENCH_IMAGE", "localhost/tuningsweep-trainer:test")
    container = {"name": "trial", "image": image, "command": ["python", "-c", TRIAL], "imagePullPolicy": "IfNotPresent"}
    spec = {
        "completions": trials,
        "parallelism": PARALLEL,
        "completionMode": "Indexed",
        "template": {"spec": {"restartPolicy": "Never", "containers": [container]}},
    }
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": NAME}, "spec": spec}
    return _applied(job, f"job/{NAME}", "complete")


def _sweep(trials: int, name: str) -> float:
    """Seconds of a sweep of trials that do the same."""
    described = manifest(trials, trainable={"command": ["python", "-c", TRIAL]})
    described["metadata"]["name"] = name
    return _applied(described, f"tuningsweep/{name}", "Complete")


def _applied(described: dict[str, Any], reference: str, condition: str) -> float:
    started = time.monotonic()
    try:
        _kubectl("apply", "-f", "-", stdin=json.dumps(described))
        _kubectl("wait", f"--for=condition={condition}", reference, f"--timeout={PATIENCE}")
        return time.monotonic() - started
    finally:
        _kubectl("delete", reference, "--wait=true")


def _kubectl(*arguments: str, stdin: str | None = None) -> None:
    done = subprocess.run(["kubectl", *arguments], input=stdin, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
