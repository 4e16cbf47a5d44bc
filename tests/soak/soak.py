"""The soak run: SIGKILL at random moments of every process of a local sweep, and what must hold after each (`make soak`).

After every fault and every restart of the driver: a trial on record keeps its record, no trial has two. At the end: every
trial has exactly one outcome, and those that went on did so from a checkpoint they had when they were hit. A sweep that ends
before the faults are used up is followed by another.

Usage: python -m soak.soak [--faults N] [--seed S]
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from integration.engine.test_crashes import end_with_children, last_line, nodes, start_driver
from tuningsweep_trainer.node.runtime import TrialStatus

TRIALS_A_FAULT = 0.4
PAUSE_SECONDS = (0.3, 2.0)
"""Between two faults."""
DRIVER_SECONDS = 300.0
"""A restarted driver runs trials within so long."""
LINES_SHOWN = 40
"""Of the driver's log, where something did not come about."""
WEIGHTS = {"training process": 4, "supervisor": 4, "fork server": 3, "node agent": 2, "driver": 1, "raylet": 1}
FATAL = ("driver", "raylet")
"""Victims after which the driver has to be started again."""


class BrokenPromiseError(AssertionError):
    """Something that must always hold does not."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A trial when it was hit."""

    at: float
    """Epoch seconds."""
    steps: int
    """In its newest checkpoint."""

    def kept_by(self, metrics: dict[str, Any]) -> bool:
        """Whether the process of the trial's last report had these steps to go on from, or was there before the hit.

        A process that has kept its last step before it is hit leaves nothing to train or to report to the next one.
        """
        return bool(metrics["started"] < self.at or metrics["went_on_from"] >= self.steps)


@dataclass
class Soak:
    """One sweep under fire."""

    folder: Path
    trials: int
    faults: int
    """To strike with at most."""
    random: random.Random
    counts: Counter[str] = field(default_factory=Counter)
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    held: dict[str, Hit] = field(default_factory=dict)
    """By trial, when it was last hit."""
    driver: Any = None
    restarts: int = 0

    @property
    def results(self) -> Path:
        """The sweep's results."""
        return self.folder / "results"

    def run(self) -> None:
        """Strike until the faults are used up or the sweep ends, then let it end."""
        self.results.mkdir(parents=True)
        self.start()
        while self.counts.total() < self.faults and not self.ended():
            time.sleep(self.random.uniform(*PAUSE_SECONDS))
            self.look()
            if self.driver.poll() is not None:
                self.start()
            elif statuses := self.statuses():
                self.strike(statuses)
        self.finish()

    def ended(self) -> bool:
        """Whether the driver has told the sweep's result."""
        return '"result"' in last_line(self.results)

    def start(self) -> None:
        """Start the driver (again), on a Ray of its own, and wait until it trains or has nothing left to."""
        if self.driver is not None:
            end_with_children(self.driver)
            self.restarts += 1
        self.look()
        ray_folder = tempfile.mkdtemp(prefix="soak-", dir="/tmp")
        steps = {"name": "steps", "parameterType": "int", "feasibleSpace": {"min": "10", "max": "60"}}
        edits = {
            "trainable.function": "functions_of_engine:waits",
            "parameters": [steps],
            "search": {"algorithmName": "random"},
            "maxTrialCount": self.trials,
            "maxFailedTrialCount": self.trials,
        }
        self.driver = start_driver(self.results, ray_folder, edits)
        self.wait(lambda: self.driver.poll() is not None or bool(self.statuses()), "a driver that trains")

    def statuses(self) -> list[TrialStatus]:
        """The trials that run now under this driver."""
        ours = family(self.driver.pid)
        found = [status for folder in nodes() for status in folder.statuses()]
        return [status for status in found if status.supervisor_pid in ours]

    def strike(self, statuses: list[TrialStatus]) -> None:
        """Kill one process."""
        name = self.random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        status = self.random.choice(statuses)
        victim = self.victim(name, status)
        if victim is None:
            return
        hit = statuses if name in FATAL else [status] if name == "supervisor" else []
        for trial in hit:
            self.held[trial.trial] = Hit(time.time(), self.checkpointed(trial.trial))
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.counts[name] += 1
        if name in FATAL:
            self.wait(lambda: name == "raylet" or self.driver.poll() is not None, "the driver's death")
            self.start()

    def wait(self, check: Callable[[], bool], what: str) -> None:
        """Wait until something holds; what the driver said last is in the error."""
        deadline = time.monotonic() + DRIVER_SECONDS
        while not check():
            if time.monotonic() > deadline:
                said = (self.folder / "driver.log").read_text().splitlines()[-LINES_SHOWN:]
                raise BrokenPromiseError("\n".join([f"not within {DRIVER_SECONDS:g} s: {what}", *said]))
            time.sleep(0.1)

    def victim(self, name: str, status: TrialStatus) -> int | None:
        """PID of the process to kill."""
        if name == "training process":
            return status.pid
        if name == "supervisor":
            return status.supervisor_pid
        if name == "driver":
            return int(self.driver.pid)
        if name == "fork server":
            try:
                return psutil.Process(status.pid).ppid()
            except psutil.NoSuchProcess:
                return None
        title = "ray::NodeAgent" if name == "node agent" else "raylet"
        return next((pid for pid, command in family(self.driver.pid).items() if title in command), None)

    def checkpointed(self, trial: str) -> int:
        """Steps in the newest checkpoint of a trial."""
        files = sorted((self.results / "checkpoints" / trial).glob("*.json"))
        try:
            return int(json.loads(files[-1].read_text())["step"]) if files else 0
        except FileNotFoundError:
            return 0  # it has just made way for a newer one

    def look(self) -> None:
        """What must hold at any moment: what is on record stays, once each."""
        path = self.results / "trials.jsonl"
        self.records = kept_records(self.records, path.read_text().splitlines() if path.is_file() else [])

    def finish(self) -> None:
        """Let the sweep end and check what it left."""
        deadline = time.monotonic() + 600
        while not self.ended():
            if time.monotonic() > deadline:
                raise BrokenPromiseError("the sweep does not end")
            if self.driver.poll() is not None and not self.ended():
                self.start()
            time.sleep(1)
        self.look()
        state = json.loads(last_line(self.results))
        if state["trials"]["total"] != len(self.records) or state["trials"]["pending"] or state["trials"]["running"]:
            raise BrokenPromiseError(f"{len(self.records)} records, but {state['trials']}")
        for trial, hit in self.held.items():
            record = self.records[trial]
            if record["outcome"] == "Succeeded" and not hit.kept_by(record["metrics"]):
                raise BrokenPromiseError(f"{trial} was hit ({hit}) and went on from {record}")
        end_with_children(self.driver)


def kept_records(before: dict[str, dict[str, Any]], lines: list[str]) -> dict[str, dict[str, Any]]:
    """The records in trials.jsonl, by trial: one each, and those from before as they were."""
    whole = [json.loads(line) for line in lines if line.endswith("}")]
    now = {record["trial"]: record for record in whole}
    if len(now) != len(whole):
        raise BrokenPromiseError(f"a trial has two records: {[record['trial'] for record in whole]}")
    for trial, record in before.items():
        if now.get(trial) != record:
            raise BrokenPromiseError(f"the record of {trial} was {record} and is {now.get(trial)}")
    return now


def family(pid: int) -> dict[int, str]:
    """Command lines of all processes below one, by PID."""
    try:
        return {child.pid: " ".join(child.cmdline()) for child in psutil.Process(pid).children(recursive=True)}
    except psutil.NoSuchProcess:
        return {}


def main() -> None:
    """Run and print what was counted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    began = time.monotonic()
    faults: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    restarts = sweeps = 0
    with tempfile.TemporaryDirectory(prefix="tuningsweep-soak-", ignore_cleanup_errors=True) as folder:
        while faults.total() < given.faults:
            left = given.faults - faults.total()
            trials = max(4, int(left * TRIALS_A_FAULT))
            soak = Soak(Path(folder) / f"sweep-{sweeps}", trials, left, random.Random(given.seed + sweeps))
            try:
                soak.run()
            finally:
                if soak.driver is not None:
                    end_with_children(soak.driver)
            sweeps += 1
            faults += soak.counts
            restarts += soak.restarts
            outcomes += Counter(record["outcome"] for record in soak.records.values())
            print(f"{faults.total()} faults in {time.monotonic() - began:.0f} s: {dict(faults)}", flush=True)
    print(f"{sweeps} sweeps, {restarts} restarts of a driver; {dict(outcomes)}; no promise broken")


if __name__ == "__main__":
    sys.exit(main())
