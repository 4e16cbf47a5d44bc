"""Memory of process trees as the kernel counts it: proportional set size, so that shared pages count once."""

import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

PATIENCE_SECONDS = 240.0


def parse_pss(rollup: str) -> int:
    """Bytes of PSS in a /proc/PID/smaps_rollup; 0 without the line (a process that is ending)."""
    found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
    return 1024 * int(found[1]) if found else 0


def mapped_pss(smaps: str, part: str) -> int:
    """Bytes of PSS in a /proc/PID/smaps that map files with `part` in their path."""
    total, counts = 0, False
    for line in smaps.splitlines():
        if re.match(r"^[0-9a-f]+-[0-9a-f]+ ", line):
            counts = part in line
        elif counts and line.startswith("Pss:"):
            total += 1024 * int(line.split()[1])
    return total


def family() -> list[int]:
    """PIDs of all processes below this one, without the idle workers that Ray keeps in store for nobody in particular."""
    below = [child.pid for child in psutil.Process().children(recursive=True)]
    return [pid for pid in below if not is_idle_worker(_read(pid, "cmdline"))]


def is_idle_worker(command: str) -> bool:
    """Whether a /proc/PID/cmdline is that of a Ray worker that has no actor and no task."""
    return command.startswith("ray::IDLE") or "default_worker.py" in command


def pss(pids: list[int]) -> int:
    """PSS of processes together, bytes; those that have ended count as nothing."""
    return sum(parse_pss(_read(pid, "smaps_rollup")) for pid in pids)


def pss_of_files(pids: list[int], part: str) -> int:
    """PSS of mapped files with `part` in their path, bytes."""
    return sum(mapped_pss(_read(pid, "smaps"), part) for pid in pids)


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError:
        return ""


def while_held(run: Callable[[], object], folder: Path, trials: int, look: Callable[[list[int]], int]) -> int:
    """Start `run`, wait until its trials hold (workloads.holding), `look` at them by PID, let them go.

    TimeoutError if they do not come to that; raises what `run` raised.
    """
    failures: list[BaseException] = []

    def _run() -> None:
        try:
            run()
        except BaseException as error:  # noqa: BLE001 - raised again below
            failures.append(error)

    thread = threading.Thread(target=_run)
    thread.start()
    try:
        return look(_holding(folder, trials, thread))
    finally:
        (folder / "go").touch()
        thread.join()
        if failures:
            raise failures[0]


def _holding(folder: Path, trials: int, thread: threading.Thread) -> list[int]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and thread.is_alive():
        held = [int(path.name.removeprefix("held-")) for path in folder.glob("held-*")]
        if len(held) >= trials:
            time.sleep(1.0)  # what was just started settles
            return held
        time.sleep(0.1)
    raise TimeoutError(f"{trials} trials did not hold within {PATIENCE_SECONDS:g} s")
