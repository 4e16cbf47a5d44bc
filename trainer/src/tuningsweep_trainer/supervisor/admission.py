"""Admission of trials to the memory of a node: the ledger that supervisors ask before they start a training process.

It is one folder of small files for all sweeps of this user on this machine (a pod is one), each supervisor writing its
own, so that sweeps side by side count each other's trials. A lock makes asking and being admitted one step; what dead
supervisors left does not count.
"""

import errno
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tuningsweep_trainer.container import MemoryRoom, memory_room
from tuningsweep_trainer.node.files import replace_file
from tuningsweep_trainer.node.runtime import shared_folder
from tuningsweep_trainer.supervisor.packing import Candidate, RunningTrial, hold_reason
from tuningsweep_trainer.supervisor.sampler import TreeSampler


@dataclass(frozen=True, slots=True)
class Entry:
    """What a supervisor has in the ledger."""

    root: int
    """PID below which its trial's processes are."""
    peak: int | None
    since: float
    admitted: bool


def admission_folder() -> Path:
    """The ledger of this machine and user."""
    return shared_folder() / f"tuningsweep-{os.getuid()}-admission"


class Admission:
    """One supervisor's access to the ledger."""

    def __init__(self, folder: Path | None = None, room: Callable[[], MemoryRoom] = memory_room) -> None:
        self._folder = admission_folder() if folder is None else folder
        self._file = self._folder / f"{os.getpid()}.json"
        self._room = room
        self._since: float | None = None

    def ask(self, root: int, peak: int | None, now: float) -> str | None:
        """Admit a trial that runs below `root` and is expected to hold at most `peak` bytes: None, or why it is held."""
        self._since = since = now if self._since is None else self._since
        with self._locked():
            others = dict(self._others())
            running = [RunningTrial(_memory(e.root, now), e.peak) for e in others.values() if e.admitted]
            held = [Candidate(e.peak, e.since) for e in others.values() if not e.admitted]
            why = hold_reason(self._room(), running, Candidate(peak, since), held, now)
            entry = Entry(root=root, peak=peak, since=since, admitted=why is None)
            try:
                replace_file(self._file, json.dumps(asdict(entry)))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                # Admitted without an entry it would take memory that others count as free.
                return why or f"other trials can't be told of it: {error.strerror}"
        return why

    def expect(self, peak: int | None) -> None:
        """Of a trial that has been admitted, another peak is expected than when it asked: its limit was edited."""
        with self._locked():
            if self._file.exists():
                entry = replace(Entry(**json.loads(self._file.read_text())), peak=peak)
                replace_file(self._file, json.dumps(asdict(entry)))

    def leave(self) -> None:
        """The trial has ended, or waits no more."""
        self._since = None
        self._file.unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _others(self) -> Iterator[tuple[str, Entry]]:
        for file in self._folder.glob("[0-9]*.json"):
            if file == self._file:
                continue
            if not Path(f"/proc/{file.stem}").exists():
                file.unlink(missing_ok=True)
                continue
            try:
                yield file.stem, Entry(**json.loads(file.read_text()))
            except FileNotFoundError:
                continue  # its trial has just ended


def _memory(root: int, now: float) -> int:
    sampler = TreeSampler(root)
    try:
        return sampler.memory(now)
    finally:
        sampler.close()
