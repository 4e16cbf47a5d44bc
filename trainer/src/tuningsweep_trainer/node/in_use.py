"""Which runtime folders are in use: every process that works in one holds a shared lock on it, which its death releases.

What a run that was killed has left, a data set in shared memory above all, is removed by the next one on its machine, or in
its pod: /dev/shm outlives a container that is started again.
"""

import contextlib
import fcntl
import os
import shutil
from pathlib import Path
from typing import Final

from tuningsweep_trainer.node.files import matching

LOCK: Final = "in-use"


def hold(folder: Path, *, make: bool = False) -> int:
    """Hold a folder until this process ends, or closes the descriptor; FileNotFoundError if it is gone and not to be made."""
    while True:
        if make:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            descriptor = _locked(folder / LOCK, os.O_RDWR | os.O_CREAT, fcntl.LOCK_SH)
        except FileNotFoundError:
            if not make:
                raise
            continue  # removed in between
        if _is(descriptor, folder / LOCK):
            return descriptor
        os.close(descriptor)


def remove_abandoned(folders: Path, pattern: str) -> list[Path]:
    """Remove the folders below another that match a pattern and that no process holds any more; those that were removed."""
    removed = []
    for lock in matching(folders, f"{pattern}/{LOCK}"):
        try:
            descriptor = _locked(lock, os.O_RDWR, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (FileNotFoundError, BlockingIOError):
            continue
        remove(lock.parent)
        os.close(descriptor)
        removed.append(lock.parent)
    return removed


def remove(folder: Path) -> None:
    """Remove a folder; nodes of one machine share the one above, which goes with the last of them."""
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        folder.parent.rmdir()


def _locked(path: Path, flags: int, how: int) -> int:
    descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, how)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _is(descriptor: int, path: Path) -> bool:
    """Whether a path still leads to an open file."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
