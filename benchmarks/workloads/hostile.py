"""Trials that cross a limit, say when they did, and would go on: the hostile cases of the issue.

Each says so to the watcher (benchmarks.watcher), a datagram an event, so that no clock but CLOCK_MONOTONIC is compared.
`busy` is how long a trial goes on past its limit: ten minutes for ours, one step's length for bare Tune, which waits for it.
"""

import contextlib
import json
import mmap
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

MIB = 1 << 20
PAGE = 4096


@dataclass(frozen=True, slots=True)
class Limits:
    """What the trials are held to, and where they say that they crossed it."""

    watcher: str
    """Path of the watcher's socket."""
    trial: str
    memory: int
    """Bytes (RSS - SHR)."""
    step: float
    """Seconds."""
    busy: float
    """Seconds."""
    mark: str = ""
    """A file to write the time of crossing to, if any: what a stopper of bare Tune is to know."""

    def tell(self, event: str, at: float, pid: int | None = None) -> None:
        """Send an event to the watcher."""
        message = {"event": event, "trial": self.trial, "pid": pid or os.getpid(), "time": at}
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.sendto(json.dumps(message).encode(), self.watcher)
        if event == "crossed" and self.mark:
            beside = f"{self.mark}.unfinished"
            with open(beside, "w") as file:  # noqa: PTH123 - as few imports as may be
                file.write(str(at))
            os.replace(beside, self.mark)  # noqa: PTH105


def train(parameters: dict[str, Any]) -> None:
    """As a trial of ours: behaves as the parameter `case` says."""
    from tuningsweep import step

    run(parameters, f"ours-{os.getpid()}", step)


def run(parameters: dict[str, Any], trial: str, timer: Any) -> None:
    """Start, cross, and stay `busy`."""
    limits = Limits(
        str(parameters["watcher"]),
        trial,
        int(parameters["memory"]),
        float(parameters["step"]),
        float(parameters["busy"]),
        str(parameters.get("mark", "")),
    )
    limits.tell("started", time.monotonic())
    case = str(parameters["case"])
    # Memory is taken outside a step, or a slow minute would let the step's limit be crossed first.
    with contextlib.nullcontext() if case in MEMORY_CASES else timer():
        CASES[case](limits)


def own_memory() -> int:
    """RSS - SHR of this process, bytes."""
    with open("/proc/self/statm") as file:  # noqa: PTH123 - copied to a process without imports
        fields = file.read().split()
    return (int(fields[1]) - int(fields[2])) * PAGE


def fill(limits: Limits, others: int) -> None:
    """Take twice the limit in one allocation, page by page; tell when this process and `others` bytes crossed it."""
    base = own_memory() + others
    # Private pages that are not there until they are written; a bytearray would be written as it is made.
    held = mmap.mmap(-1, 2 * limits.memory // MIB * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    told = False
    for start in range(0, len(held), MIB):
        held[start : start + MIB : PAGE] = b"x" * (MIB // PAGE)
        if not told and base + start + MIB > limits.memory:
            limits.tell("crossed", time.monotonic())
            told = True
    time.sleep(limits.busy)


def allocates(limits: Limits) -> None:
    """Memory over the limit in one allocation."""
    fill(limits, 0)


def hangs(limits: Limits) -> None:
    """A step that does not end: it crosses its limit when that has gone by."""
    limits.tell("crossed", time.monotonic() + limits.step)
    time.sleep(limits.busy + limits.step)


def ignores_sigterm(limits: Limits) -> None:
    """Hangs and ignores what can be ignored; outside the main thread, as bare Tune runs it, Python can ignore nothing."""
    with contextlib.suppress(ValueError):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
    hangs(limits)


def forks_hog(limits: Limits) -> None:
    """Leaves the memory to a child in a session of its own."""
    code = "import sys, json; from benchmarks.workloads.hostile import hog; hog(json.loads(sys.argv[1]))"
    told = [limits.watcher, limits.trial, limits.memory, limits.step, limits.busy, limits.mark, own_memory()]
    subprocess.Popen([sys.executable, "-c", code, json.dumps(told)], start_new_session=True)
    time.sleep(limits.busy)


def hog(told: list[Any]) -> None:
    """The child: grows until both together are over the limit."""
    fill(Limits(*told[:6]), int(told[6]))


CASES = {f.__name__: f for f in (allocates, hangs, ignores_sigterm, forks_hog)}
MEMORY_CASES = ("allocates", "forks_hog")
