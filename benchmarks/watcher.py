"""Sees processes die to the millisecond: a process of its own that trials tell of themselves, looking 1,000 times a second.

A process that is killed loses its memory map first (its statm reads zero: `killed`); once the kernel has freed what was in
it, the process has ended (its pidfd is readable: `freed`).
"""

import json
import math
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

LOOK_SECONDS = 0.001
LAST_SECONDS = 75.0
"""How long, once told to end, it waits for those that crossed a limit and still live: Tune returns before they die."""
END = b"end"


@dataclass(slots=True)
class Watched:
    """A process that said something, in seconds of CLOCK_MONOTONIC."""

    trial: str
    pid: int
    started: float | None = None
    crossed: float | None = None
    killed: float | None = None
    freed: float | None = None
    pidfd: int = field(default=-1, repr=False)

    def look(self, now: float) -> None:
        """Notice that it was killed, and that it has ended."""
        if self.killed is None and mapless(self.pid):
            self.killed = now
        if select.select([self.pidfd], [], [], 0)[0]:
            self.killed, self.freed = self.killed or now, now
            os.close(self.pidfd)
            self.pidfd = -1


def mapless(pid: int) -> bool:
    """Whether a process has no memory map any more."""
    try:
        return Path(f"/proc/{pid}/statm").read_bytes().startswith(b"0 ")
    except OSError:
        return True


def stops(watched: list[Watched]) -> list[dict[str, float]]:
    """Seconds from crossing to kill, freed memory and the next trial's start, for every trial that crossed a limit."""
    starts = sorted(process.started for process in watched if process.started is not None)
    found = []
    for process in watched:
        if process.crossed is None or process.killed is None or process.freed is None:
            continue
        times = {"kill": process.killed - process.crossed, "freed": process.freed - process.crossed}
        following = next((start for start in starts if start > process.killed), None)
        if following is not None:
            times["next"] = following - process.crossed
        found.append(times)
    return found


@contextmanager
def watching(folder: Path) -> Iterator[tuple[str, list[Watched]]]:
    """The socket to tell, and a list that is filled when the block is left."""
    path, watched = str(folder / "watcher"), list[Watched]()
    command = [sys.executable, "-m", "benchmarks.watcher", path]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    assert child.stdout is not None
    child.stdout.readline()  # it listens
    try:
        yield path, watched
    finally:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.sendto(END, path)
        said, _ = child.communicate(timeout=LAST_SECONDS + 60)
        watched += [Watched(**line) for line in json.loads(said)]


def watch(path: str) -> list[Watched]:
    """Listen on a socket until told to end; every process that was told of."""
    processes: dict[tuple[str, int], Watched] = {}
    deadline = math.inf
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as inbox:
        inbox.bind(path)
        print("listening", flush=True)
        while True:
            alive = [process for process in processes.values() if process.pidfd >= 0]
            waited_for = any(process.crossed is not None for process in alive)
            if deadline < math.inf and (not waited_for or time.monotonic() > deadline):
                return list(processes.values())
            if select.select([inbox], [], [], LOOK_SECONDS if alive else None)[0]:
                content = inbox.recv(4096)
                if content == END:
                    deadline = time.monotonic() + LAST_SECONDS
                else:
                    _take(json.loads(content), processes)
            for process in alive:
                process.look(time.monotonic())


def _take(message: dict[str, str | int | float], processes: dict[tuple[str, int], Watched]) -> None:
    trial, pid = str(message["trial"]), int(message["pid"])
    if (trial, pid) not in processes:
        processes[trial, pid] = Watched(trial, pid)
        processes[trial, pid].pidfd = os.pidfd_open(pid)
    setattr(processes[trial, pid], str(message["event"]), float(message["time"]))


def main() -> None:
    """Watch, then write what was seen."""
    watched = watch(sys.argv[1])
    keys = ("trial", "pid", "started", "crossed", "killed", "freed")
    print(json.dumps([{key: getattr(process, key) for key in keys} for process in watched]))


if __name__ == "__main__":
    main()
