"""What the kernel says of the memory of the container this process is in: by cgroup v2, v1, or of the machine without one.

Asked by supervisors before a trial starts (packing), after one died (was it the kernel?), and before data sets are made.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

_OOM_KILLS: Final = re.compile(r"^oom_kill (\d+)$", re.MULTILINE)
_CACHE: Final = re.compile(r"^(?:total_)?inactive_file (\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class MemoryGroup:
    """The memory files of one cgroup."""

    limit: Path
    used: Path
    statistics: Path
    events: Path


@dataclass(frozen=True, slots=True)
class MemoryRoom:
    """Memory of a container or machine, bytes."""

    limit: int
    used: int
    """Without the file cache that the kernel gives back first, as the kubelet counts it."""

    @property
    def free(self) -> int:
        """Bytes that can still be had."""
        return max(0, self.limit - self.used)


def memory_groups(cgroups: str, root: Path = Path("/sys/fs/cgroup")) -> list[MemoryGroup]:
    """Cgroups that may account for a process, nearest first, given its /proc/PID/cgroup; not all of them need exist."""
    found: list[MemoryGroup] = []
    for line in cgroups.splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            found += [_v2(root / path.lstrip("/")), _v2(root)]
        elif "memory" in controllers.split(","):
            found += [_v1(root / "memory" / path.lstrip("/")), _v1(root / "memory")]
    return found


def _v2(folder: Path) -> MemoryGroup:
    return MemoryGroup(
        folder / "memory.max", folder / "memory.current", folder / "memory.stat", folder / "memory.events"
    )


def _v1(folder: Path) -> MemoryGroup:
    limit, used = folder / "memory.limit_in_bytes", folder / "memory.usage_in_bytes"
    return MemoryGroup(limit, used, folder / "memory.stat", folder / "memory.oom_control")


def own_memory_groups() -> list[MemoryGroup]:
    """Those of this process."""
    return memory_groups(Path("/proc/self/cgroup").read_text())


def memory_room(groups: Iterable[MemoryGroup] | None = None) -> MemoryRoom:
    """The memory that this process shares with its container, or with the machine where less of that is free."""
    machine = psutil.virtual_memory()
    rooms = [MemoryRoom(int(machine.total), int(machine.total - machine.available))]
    for group in own_memory_groups() if groups is None else groups:
        room = group_room(group)
        if room is not None:
            rooms.append(room)
    return min(rooms, key=lambda room: room.free)


def group_room(group: MemoryGroup) -> MemoryRoom | None:
    """The memory of one cgroup; None if it has no limit or does not exist."""
    try:
        limit, used = group.limit.read_text().strip(), int(group.used.read_text())
        cache = max(map(int, _CACHE.findall(group.statistics.read_text())), default=0)  # v1 has one with its children's
    except OSError:
        return None
    return None if limit == "max" else MemoryRoom(int(limit), max(0, used - cache))


def parse_oom_kills(text: str) -> int | None:
    """The oom_kill counter in memory.events (v2), memory.oom_control (v1) or /proc/vmstat; None if it has none."""
    found = _OOM_KILLS.search(text)
    return int(found[1]) if found else None


def oom_kills(files: Sequence[Path] | None = None) -> int:
    """Processes killed so far by the kernel for want of memory, by the nearest counter there is; 0 without any."""
    if files is None:
        files = [*(group.events for group in own_memory_groups()), Path("/proc/vmstat")]
    for file in files:
        try:
            count = parse_oom_kills(file.read_text())
        except OSError:
            continue
        if count is not None:
            return count
    return 0
