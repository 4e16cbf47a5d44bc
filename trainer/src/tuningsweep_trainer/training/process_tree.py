"""The processes below a given one, found through /proc without walking all processes of the machine.

The supervisor kills and measures with it, and the fork server cleans up with it. Zombies hold nothing and are passed over.
"""

import logging
import os
import signal
import time
from pathlib import Path
from typing import Final

PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_POLL_SECONDS: Final = 0.001

log = logging.getLogger(__name__)


def parse_statm(text: bytes) -> int:
    """Memory (RSS - SHR) in bytes by a /proc/PID/statm."""
    fields = text.split()
    return max(0, int(fields[1]) - int(fields[2])) * PAGE_BYTES


def own_memory() -> int:
    """Memory of this process, bytes."""
    return parse_statm(Path("/proc/self/statm").read_bytes())


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 - names alone, and called often
    except OSError:
        return found
    for thread in threads:
        try:
            found += map(int, Path(f"/proc/{pid}/task/{thread}/children").read_text().split())
        except OSError:
            continue
    return found


def _is_zombie(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] in ("Z", "X")


def descendants(root: int) -> list[int]:
    """PIDs of living processes below `root` at any depth."""
    found: list[int] = []
    queue = _children(root)
    while queue:
        pid = queue.pop()
        found.append(pid)
        queue += _children(pid)
    return [pid for pid in found if not _is_zombie(pid)]


def kill_descendants(root: int, patience: float = 5.0) -> bool:
    """SIGKILL everything below `root`, again and again until nothing is left, so that no fork gets away.

    Returns False if something is still there after `patience` seconds (a process stuck in the kernel, or another user's,
    started by sudo, which is logged). Needs `root` to be a subreaper, or what a process leaves behind is not below it any
    more.
    """
    deadline = time.monotonic() + patience
    refused: set[int] = set()
    while True:
        alive = descendants(root)
        if not alive:
            return True
        if time.monotonic() > deadline:
            return False
        for pid in alive:
            _kill(pid, refused)
        time.sleep(_POLL_SECONDS)


def _kill(pid: int, refused: set[int]) -> None:
    """SIGKILL a process; one that may not be killed is logged and remembered in `refused`, so that it is logged once."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    except PermissionError as error:
        if pid not in refused:
            log.warning("process %d may not be killed: %s", pid, error)
        refused.add(pid)
