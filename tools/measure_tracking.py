"""Measures what tracking costs a sweep: python tools/measure_tracking.py [--trials N] [--uri URI] [--per-trial].

It tells a real MLflow store of a made-up sweep of built-in trials, with nothing else running, so that the process's CPU
time is tracking's. What counts is the share of the training time of trials of some length, printed for several.
"""

import argparse
import logging
import tempfile
import time
from pathlib import Path
from typing import Any

from tuningsweep_api.messages import SweepState
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.tracking.setup import make_listeners
from tuningsweep_trainer.tracking.spool import FOLDER

REPORTS = 10
STEPS = 1_000
METRICS = {
    "training_loss": 0.5,
    "validation_loss": 0.4,
    "accuracy": 0.9,
    "memory_bytes": 1.2e8,
    "cpu_percent": 90.0,
    "elapsed_seconds": 1.0,
    "mean_step_time_seconds": 0.004,
}


def sweep_with(uri: str | None) -> TuningSweep:
    """A sweep of a built-in workload."""
    builtin = {"model": "linearSVM", "task": "classification", "dataset": {"bundled": "digits"}, "steps": STEPS}
    mlflow: dict[str, Any] = {} if uri is None else {"trackingUri": uri}
    return TuningSweep.from_manifest(
        {
            "apiVersion": "tuningsweep.io/v1alpha1",
            "kind": "TuningSweep",
            "metadata": {"name": "measured", "uid": str(time.time_ns())},
            "spec": {
                "objective": {"type": "minimize", "objectiveMetricName": "validation_loss"},
                "parameters": [
                    {"name": "alpha", "parameterType": "double", "feasibleSpace": {"min": "0.001", "max": "0.1"}}
                ],
                "trainable": {"builtin": builtin},
                "limits": {"memory": "400Mi"},
                "tracking": {"mlflow": mlflow},
            },
        }
    )


def write_log(results: Path, trial: str) -> None:
    """A trial's log with the training loss of every step."""
    folder = results / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    losses = ", ".join(f"{1 / step:.6g}" for step in range(1, STEPS + 1))
    (folder / f"{trial}.log").write_text(f'{{"first_step": 1, "training_loss": [{losses}]}}\n')


def record_of(trial: str) -> TrialRecord:
    """A trial that ended at a limit."""
    fields = {"trial": trial, "parameters": {"alpha": 0.01}, "outcome": "LimitExceeded", "steps": STEPS}
    return TrialRecord.model_validate(
        {**fields, "reason": "MemoryLimitExceeded", "metrics": METRICS, "completionTime": "2026-01-02T03:04:05Z"}
    )


def tell(listener: Any, trial: str) -> float:
    """Tell of a whole trial; wall seconds that the driver waited."""
    began = time.perf_counter()
    listener.trial_started(trial, {"alpha": 0.01})
    for report in range(1, REPORTS + 1):
        listener.trial_reported(trial, METRICS, report * STEPS // REPORTS)
    listener.trial_ended(record_of(trial))
    return time.perf_counter() - began


def wait_until_sent(results: Path) -> None:
    """Wait until the spool is empty."""
    time.sleep(1.5)
    while any((results / FOLDER).glob("*")):
        time.sleep(0.05)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--uri", help="tracking server; the embedded SQLite store if left out")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="measure-tracking-") as folder:
        results = Path(folder)
        for number in range(chosen.trials + 1):
            write_log(results, f"trial-{number:05d}")
        cpu = time.process_time()
        (listener,) = make_listeners(sweep_with(chosen.uri), folder)
        tell(listener, "trial-00000")
        wait_until_sent(results)
        start = time.process_time() - cpu

        cpu = time.process_time()
        waited = sum(tell(listener, f"trial-{number:05d}") for number in range(1, chosen.trials + 1))
        wait_until_sent(results)
        each = (time.process_time() - cpu) / chosen.trials
        state = {"sweepUid": "u", "driverId": "d", "startTime": "", "desiredDigest": "", "trials": {}}
        listener.sweep_ended(SweepState.model_validate(state))
        database = results / "mlflow.db"
        size = database.stat().st_size / chosen.trials if database.is_file() else 0
    print(f"{chosen.trials} trials of {REPORTS} reports of {len(METRICS)} metrics and {STEPS} step losses")
    print(f"start (import, database, first trial): {start:.2f} s of CPU, once a sweep, while the first trials train")
    print(f"a trial: {each * 1e3:.1f} ms of CPU beside the training, {size / 1024:.0f} KiB of database")
    print(f"the driver waits {waited / chosen.trials * 1e3:.2f} ms a trial in all, no trial waits at all")
    for seconds in (1, 10, 60):
        print(f"  of the CPU time of a trial of {seconds:2} s on one core: {100 * each / seconds:.2f} %")


if __name__ == "__main__":
    main()
