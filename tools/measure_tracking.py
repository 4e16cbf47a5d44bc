"""Measures what tracking costs a sweep: python tools/measure_tracking.py [--uri URI] [--seconds S].

Made-up trials of a built-in workload are told to a real MLflow store as a driver tells of them: in real time, a report every
tenth of a trial, several trials at a time. Two questions, about three minutes with the rest of the machine at rest:

1. CPU time a trial, for trials of 1 s and of 10 s: of the process that sends, until nothing is left to send, and of the
   driver beyond what the same loop takes without a listener.
2. How much slower training goes on every core: busy loops beside a sender that always has something to send, in pairs of
   windows with it running and stopped (SIGSTOP), in changing order. What else the machine does falls on both of a pair.
"""

import argparse
import contextlib
import logging
import os
import signal
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
TRIALS_A_SECOND = 2
"""Trials that end in a second, whatever they last: two a second is a short trial on each of two cores."""
LENGTHS = (1.0, 10.0)
"""Seconds of a trial."""
PAIRS = 10
WINDOW_SECONDS = 3.0
BACKLOG = 100
"""Trials told at the start of a window with the sender running: more than it can send at its priority."""
METRICS = {
    "training_loss": 0.5,
    "validation_loss": 0.4,
    "accuracy": 0.9,
    "memory_bytes": 1.2e8,
    "cpu_percent": 90.0,
    "elapsed_seconds": 1.0,
    "mean_step_time_seconds": 0.004,
}


@dataclass(frozen=True)
class Cost:
    """CPU milliseconds a trial."""

    sender: float
    driver: float
    kibibytes: float
    """Of database."""


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


class Silent:
    """A listener that does nothing: what the loop itself costs."""

    def trial_started(self, name: str, parameters: dict[str, Any]) -> None:
        """Nothing."""

    def trial_reported(self, name: str, metrics: dict[str, float], step: int) -> None:
        """Nothing."""

    def trial_ended(self, record: TrialRecord) -> None:
        """Nothing."""


def events_of(trial: str, seconds: float) -> Iterator[tuple[float, Callable[[Any], None]]]:
    """What a listener is told of a trial, each with its moment in seconds since the trial's start."""
    yield 0.0, lambda listener: listener.trial_started(trial, {"alpha": 0.01})
    for report in range(1, REPORTS + 1):
        step = report * STEPS // REPORTS
        yield report / REPORTS * seconds, lambda listener, step=step: listener.trial_reported(trial, METRICS, step)  # type: ignore[misc]
    yield seconds, lambda listener: listener.trial_ended(record_of(trial, seconds))


def tell(listener: Any, trials: list[str], seconds: float) -> float:
    """Tell of trials in real time, TRIALS_A_SECOND beginning each second; CPU seconds that this process took."""
    planned = [
        (number / TRIALS_A_SECOND + at, number, told)
        for number, trial in enumerate(trials)
        for at, told in events_of(trial, seconds)
    ]
    before, start = time.process_time(), time.monotonic()
    for moment, _, told in sorted(planned, key=lambda event: event[:2]):
        time.sleep(max(0.0, start + moment - time.monotonic()))
        told(listener)
    return time.process_time() - before


def tell_at_once(listener: Any, trials: list[str]) -> None:
    """Tell of whole trials."""
    for trial in trials:
        for _, told in events_of(trial, LENGTHS[0]):
            told(listener)


def wait_until_sent(results: Path) -> None:
    """Wait until the spool is empty."""
    time.sleep(1.5)
    while any((results / FOLDER).glob("*")):
        time.sleep(0.05)


def sender() -> psutil.Process:
    """The process that sends."""
    (found,) = (child for child in psutil.Process().children() if "tracking" in child.cmdline()[-1])
    return found


def cost_of(listener: Any, results: Path, seconds: float, lasting: float) -> Cost:
    """Tell of trials for about so many seconds, with tracking and without."""
    trials = [f"trial-{seconds:g}-{n:05d}" for n in range(round(TRIALS_A_SECOND * lasting))]
    for trial in trials:
        write_log(results, trial)
    database = results / "mlflow.db"
    size = database.stat().st_size if database.is_file() else 0
    alone = tell(Silent(), trials[: len(trials) // 4], seconds) * 4
    before, own = sum(sender().cpu_times()[:2]), time.process_time()
    tell(listener, trials, seconds)
    wait_until_sent(results)
    in_driver = time.process_time() - own - alone
    sent = sum(sender().cpu_times()[:2]) - before
    grown = (database.stat().st_size - size) if database.is_file() else 0
    return Cost(*(1e3 * cpu / len(trials) for cpu in (sent, in_driver)), grown / 1024 / len(trials))


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


def slowdowns(listener: Any, results: Path) -> list[float]:
    """Share of training lost in each pair of windows."""
    lost = []
    with training() as counted:
        time.sleep(2.0)
        for pair in range(PAIRS):
            rates = {tracked: window(listener, results, counted, pair, tracked=tracked) for tracked in _order(pair)}
            lost.append(1 - rates[True] / rates[False])
    return lost


def _order(pair: int) -> tuple[bool, bool]:
    return (True, False) if pair % 2 else (False, True)


def window(listener: Any, results: Path, counted: Callable[[], int], pair: int, *, tracked: bool) -> float:
    """Counts a second while the sender runs and is told of trials, or is stopped."""
    process = sender()
    if tracked:
        trials = [f"busy-{pair:02d}-{n:05d}" for n in range(BACKLOG)]
        for trial in trials:
            write_log(results, trial)
        tell_at_once(listener, trials)
    else:
        process.send_signal(signal.SIGSTOP)
    time.sleep(1.5)  # the recorder has written what was told
    before, start = counted(), time.monotonic()
    if tracked:
        live = [f"live-{pair:02d}-{n:05d}" for n in range(round(TRIALS_A_SECOND * (WINDOW_SECONDS - LENGTHS[0])))]
        tell(listener, live, LENGTHS[0])
    time.sleep(max(0.0, start + WINDOW_SECONDS - time.monotonic()))
    rate = (counted() - before) / (time.monotonic() - start)
    process.send_signal(signal.SIGCONT)
    return rate


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0, help="for how long trials of each length begin")
    parser.add_argument("--uri", help="tracking server; the embedded SQLite store if left out")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="measure-tracking-", ignore_cleanup_errors=True) as folder:
        results = Path(folder)
        (listener,) = make_listeners(sweep_with(chosen.uri), folder)
        tell_at_once(listener, ["first"])
        wait_until_sent(results)
        start = sum(sender().cpu_times()[:2])
        print(f"start (import, database, first trial): {start:.2f} s of CPU, once a sweep", flush=True)
        for seconds in LENGTHS:
            cost = cost_of(listener, results, seconds, chosen.seconds)
            share = (cost.sender + cost.driver) / 1e3 / seconds
            print(
                f"a trial of {seconds:g} s: {cost.sender:.1f} ms of CPU in the sender, {cost.driver:.2f} ms in the driver,"
                f" {share:.2%} of one core's time; {cost.kibibytes:.0f} KiB of database",
                flush=True,
            )
        lost = sorted(slowdowns(listener, results))
        print(
            f"training on all {os.cpu_count()} cores goes {statistics.median(lost):.2%} slower beside a sender that is"
            f" always behind (median of {PAIRS} pairs, {lost[0]:.2%} to {lost[-1]:.2%})"
        )
        wait_until_sent(results)
        state = {"sweepUid": "u", "driverId": "d", "startTime": "", "desiredDigest": "", "trials": {}}
        listener.sweep_ended(SweepState.model_validate(state))


if __name__ == "__main__":
    main()
