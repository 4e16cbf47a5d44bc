"""Measures what tracking costs a sweep: python tools/measure_tracking.py [--trials N] [--seconds S] [--uri URI].

It tells a real MLflow store of a made-up sweep of built-in trials. First with nothing else running: the CPU time of the
driver's part and of the process that sends. Then beside busy loops on every core, which stand for training: how much
slower they go in windows with tracking than in those without, which is what tracking costs training.
"""

import argparse
import contextlib
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

import psutil

from tuningsweep_api.messages import SweepState
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.tracking.setup import make_listeners
from tuningsweep_trainer.tracking.spool import FOLDER

REPORTS = 10
STEPS = 1_000
WINDOW_SECONDS = 6.0
WINDOWS = 5
"""Pairs of windows, one with tracking and one without, in turns: what else the machine does falls on both."""
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


def record_of(trial: str, seconds: float) -> TrialRecord:
    """A trial that ended at a limit."""
    fields = {"trial": trial, "parameters": {"alpha": 0.01}, "outcome": "LimitExceeded", "steps": STEPS}
    fields |= {"durationSeconds": seconds}
    return TrialRecord.model_validate(
        {**fields, "reason": "MemoryLimitExceeded", "metrics": METRICS, "completionTime": "2026-01-02T03:04:05Z"}
    )


def tell(listener: Any, trial: str, seconds: float) -> float:
    """Tell of a whole trial; wall seconds that the driver waited."""
    began = time.perf_counter()
    listener.trial_started(trial, {"alpha": 0.01})
    for report in range(1, REPORTS + 1):
        listener.trial_reported(trial, METRICS, report * STEPS // REPORTS)
    listener.trial_ended(record_of(trial, seconds))
    return time.perf_counter() - began


def wait_until_sent(results: Path) -> None:
    """Wait until the spool is empty."""
    time.sleep(1.5)
    while any((results / FOLDER).glob("*")):
        time.sleep(0.05)


def sender_seconds() -> float:
    """CPU seconds of the process that sends."""
    return sum(sum(child.cpu_times()[:2]) for child in psutil.Process().children() if "tracking" in child.cmdline()[-1])


def spin(count: "Synchronized[int]") -> None:
    """Count for ever, as training would use a core."""
    while True:
        for _ in range(1_000):
            pass
        count.value += 1


@contextlib.contextmanager
def training() -> Iterator[Callable[[], int]]:
    """A busy process for each core; gives what they have counted so far."""
    context = get_context("spawn")
    counts = [context.Value("q", 0) for _ in range(os.cpu_count() or 1)]
    processes = [context.Process(target=spin, args=(count,), daemon=True) for count in counts]
    for process in processes:
        process.start()
    try:
        yield lambda: sum(count.value for count in counts)
    finally:
        for process in processes:
            process.kill()


def slowdown(listener: Any, results: Path, seconds: float) -> float:
    """Share of training lost while as many trials end as fit on the cores."""
    cores, rates, number = os.cpu_count() or 1, {True: 0, False: 0}, 0
    with training() as counted:
        time.sleep(2.0)
        for _ in range(WINDOWS):
            for tracked in (True, False):
                before, end = counted(), time.monotonic() + WINDOW_SECONDS
                while (left := end - time.monotonic()) > 0:
                    if tracked:
                        number += 1
                        tell(listener, f"busy-{number:05d}", seconds)
                    time.sleep(min(left, seconds / cores))
                rates[tracked] += counted() - before
                wait_for_calm(results, tracked)
    return 1 - rates[True] / rates[False]


def wait_for_calm(results: Path, tracked: bool) -> None:
    """Let what a window has left be sent before one without tracking starts."""
    if tracked:
        wait_until_sent(results)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=1.0, help="length of a trial")
    parser.add_argument("--uri", help="tracking server; the embedded SQLite store if left out")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="measure-tracking-") as folder:
        results = Path(folder)
        for number in range(chosen.trials + 1):
            write_log(results, f"trial-{number:05d}")
        (listener,) = make_listeners(sweep_with(chosen.uri), folder)
        tell(listener, "trial-00000", chosen.seconds)
        wait_until_sent(results)
        start, own = sender_seconds(), time.process_time()
        waited = sum(tell(listener, f"trial-{n:05d}", chosen.seconds) for n in range(1, chosen.trials + 1))
        wait_until_sent(results)
        each = (sender_seconds() - start) / chosen.trials
        in_driver = (time.process_time() - own) / chosen.trials
        database = results / "mlflow.db"
        size = database.stat().st_size / chosen.trials if database.is_file() else 0
        lost = slowdown(listener, results, chosen.seconds)
        state = {"sweepUid": "u", "driverId": "d", "startTime": "", "desiredDigest": "", "trials": {}}
        listener.sweep_ended(SweepState.model_validate(state))
    print(f"{chosen.trials} trials of {chosen.seconds:g} s: {REPORTS} reports of {len(METRICS)} metrics, {STEPS} steps")
    print(f"start (import, database, first trial): {start:.2f} s of CPU, once a sweep, while Ray starts")
    print(f"a trial: {each * 1e3:.1f} ms of CPU at the lowest priority, {size / 1024:.0f} KiB of database")
    print(
        f"in the driver: {in_driver * 1e3:.2f} ms of CPU a trial, of which it waits for {waited / chosen.trials * 1e3:.2f}"
    )
    print(f"training that has every core goes {100 * lost:.2f} % slower while such trials end")


if __name__ == "__main__":
    main()
