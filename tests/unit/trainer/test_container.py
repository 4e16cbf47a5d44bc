"""What the files of both cgroup versions say of memory; the texts are those of real kernels, cut short."""

from pathlib import Path

import psutil
import pytest

from tuningsweep_trainer import container
from tuningsweep_trainer.container import (
    MemoryGroup,
    MemoryRoom,
    memory_groups,
    memory_room,
    oom_kills,
    parse_oom_kills,
)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("low 0\nhigh 0\nmax 3\noom 1\noom_kill 2\noom_group_kill 0\n", 2),
        ("oom_kill_disable 0\nunder_oom 0\noom_kill 5\n", 5),
        ("oom_kill_disable 0\n", None),
    ],
)
def test_oom_counters_of_both_cgroup_versions(text: str, count: int | None) -> None:
    assert parse_oom_kills(text) == count


def test_the_nearest_oom_counter_is_used(tmp_path: Path) -> None:
    assert memory_groups("0::/pod/container\n")[0].events == Path("/sys/fs/cgroup/pod/container/memory.events")
    assert memory_groups("4:cpu,memory:/pod\n")[0].events == Path("/sys/fs/cgroup/memory/pod/memory.oom_control")
    near, far = tmp_path / "near", tmp_path / "far"
    far.write_text("oom_kill 7\n")
    assert oom_kills([near, far]) == 7
    near.write_text("oom_kill 1\n")
    assert oom_kills([near, far]) == 1
    assert oom_kills([]) == 0


def group(folder: Path, limit: str, used: int, statistics: str) -> MemoryGroup:
    folder.mkdir(exist_ok=True)
    for name, content in {"limit": limit, "used": str(used), "statistics": statistics}.items():
        (folder / name).write_text(f"{content}\n")
    return MemoryGroup(folder / "limit", folder / "used", folder / "statistics", folder / "events")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> MemoryRoom:
    memory = psutil.virtual_memory()._replace(total=16_000, available=12_000)
    monkeypatch.setattr(container.psutil, "virtual_memory", lambda: memory)
    return MemoryRoom(16_000, 4_000)


def test_a_container_has_what_its_limit_leaves_and_cache_counts_as_free(tmp_path: Path, machine: MemoryRoom) -> None:
    assert memory_room([group(tmp_path, "3000", 1000, "anon 5\ninactive_file 200\n")]) == MemoryRoom(3000, 800)
    first = group(tmp_path, "3000", 1000, "inactive_file 0\ntotal_inactive_file 300\n")
    assert memory_room([first]) == MemoryRoom(3000, 700)
    assert memory_room([group(tmp_path, "3000", 4000, "")]).free == 0


def test_without_a_limit_it_has_what_the_machine_has(tmp_path: Path, machine: MemoryRoom) -> None:
    assert memory_room([group(tmp_path, "max", 1000, "")]) == machine
    assert memory_room([group(tmp_path, str(2**63 - 4096), 1000, "")]) == machine
    assert memory_room(memory_groups("0::/nowhere\n", tmp_path)) == machine
    assert memory_room([]).free == 12_000
