"""Tells whether the kernel killed something for want of memory, from the counters of cgroup v2, v1 or the machine."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_COUNTER: Final = re.compile(r"^oom_kill (\d+)$", re.MULTILINE)


def parse_oom_kills(text: str) -> int | None:
    """The oom_kill counter in memory.events (v2), memory.oom_control (v1) or /proc/vmstat; None if it has none."""
    found = _COUNTER.search(text)
    return int(found[1]) if found else None


def counter_files(cgroups: str) -> list[Path]:
    """Files that may hold the counter of this process's container, nearest first, given its /proc/self/cgroup."""
    files: list[Path] = []
    for line in cgroups.splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            files += [Path(f"/sys/fs/cgroup{path}") / "memory.events", Path("/sys/fs/cgroup/memory.events")]
        elif "memory" in controllers.split(","):
            base = Path("/sys/fs/cgroup/memory")
            files += [base / path.lstrip("/") / "memory.oom_control", base / "memory.oom_control"]
    return [*files, Path("/proc/vmstat")]


def oom_kills(files: Iterable[Path] | None = None) -> int:
    """Processes killed so far by the kernel for want of memory, by the nearest counter there is; 0 without any."""
    if files is None:
        files = counter_files(Path("/proc/self/cgroup").read_text())
    for file in files:
        try:
            count = parse_oom_kills(file.read_text())
        except OSError:
            continue
        if count is not None:
            return count
    return 0
