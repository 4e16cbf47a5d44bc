"""Training functions that behave badly or slowly on purpose; run by local and cluster tests alike."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tuningsweep import report, step

GIB = 1 << 30
ENOUGH = Path("/tmp/enough")
FOREVER = 7200
"""Seconds: longer than any test."""


def quick(parameters: dict[str, Any]) -> None:
    """Five short steps."""
    for number in range(5):
        with step():
            time.sleep(0.02)
        report({"loss": float(parameters.get("x", 0)) + 1.0 / (number + 1)})


def counting(parameters: dict[str, Any], checkpoint: Path | None = None) -> None:
    """Steps of a tenth of a second, 200 unless the argument `steps` says otherwise; goes on from its checkpoint.

    A trial whose x is no less than `until_told_from` goes on until the file `/tmp/enough` is there too.
    """
    waits = float(parameters["x"]) >= float(parameters.get("until_told_from", "inf"))
    done = first = 0 if checkpoint is None else int((checkpoint / "steps").read_text())
    folder = Path(os.environ.get("TMPDIR", "/tmp")) / f"checkpoint-{os.getpid()}"
    folder.mkdir(exist_ok=True)
    while done < int(parameters.get("steps", 200)) or (waits and not ENOUGH.exists()):
        with step():
            time.sleep(0.1)
        done += 1
        if done % 10 == 0:
            (folder / "steps").write_text(str(done))
            metrics = {"loss": float(parameters["x"]) + 1.0 / done, "steps_seen": done, "went_on_from": first}
            report(metrics, checkpoint=folder)


def until_told(parameters: dict[str, Any]) -> None:
    """Steps of a tenth of a second until the file `/tmp/enough` is there."""
    done = 0
    while done == 0 or not ENOUGH.exists():
        with step():
            time.sleep(0.1)
        done += 1
        if done % 10 == 0:
            report({"loss": float(parameters["x"]) + 1.0 / done})
    report({"loss": float(parameters["x"])})


def grows(parameters: dict[str, Any]) -> None:
    """Takes `mebibytes` of memory within a second, ten at a time, holds them for `seconds` or until told, and reports."""
    held: list[bytes] = []
    wanted = int(parameters["mebibytes"])
    for _ in step(range(wanted // 10)):
        held.append(b"x" * (10 << 20))
        time.sleep(10 / wanted)
    with step():
        end = time.monotonic() + float(parameters["seconds"])
        while time.monotonic() < end and not ENOUGH.exists():
            time.sleep(0.1)
    report({"loss": float(len(held))})


def hostile(parameters: dict[str, Any]) -> None:
    """Behaves as the parameter `behaviour` says; everything but `quick` would go on for hours."""
    BEHAVIOURS[str(parameters["behaviour"])](parameters)


def allocates(parameters: dict[str, Any]) -> None:
    """Takes a GiB inside one step."""
    with step():
        held = bytearray(GIB)
        held[::4096] = b"x" * (GIB // 4096)
        time.sleep(FOREVER)


def hangs(parameters: dict[str, Any]) -> None:
    """Hangs in its first step without a report."""
    with step():
        time.sleep(FOREVER)


def hangs_when_told(parameters: dict[str, Any]) -> None:
    """Begins no step until the file `/tmp/enough` is there; then it hangs in it."""
    while not ENOUGH.exists():
        time.sleep(0.1)
    hangs(parameters)


def ignores_sigterm(parameters: dict[str, Any]) -> None:
    """Ignores every signal it can and hangs."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    hangs(parameters)


HOG = "import time; held = bytearray(900 << 20); held[::4096] = b'x' * (900 << 8); time.sleep(7200)"
"""Less than a GiB: what is left of that size is another's."""


def forks_hog(parameters: dict[str, Any]) -> None:
    """Leaves the memory to a child in a session of its own, which may take its time to start: no step is in flight."""
    subprocess.Popen([sys.executable, "-c", HOG], start_new_session=True)
    time.sleep(FOREVER)


def raises(parameters: dict[str, Any]) -> None:
    """Fails at once."""
    raise RuntimeError("no such luck")


def reports_nothing(parameters: dict[str, Any]) -> None:
    """Ends without the objective."""
    report({"other": 1.0})


BEHAVIOURS: dict[str, Callable[[dict[str, Any]], None]] = {
    "quick": quick,
    "allocates": allocates,
    "hangs": hangs,
    "hangs_when_told": hangs_when_told,
    "ignores_sigterm": ignores_sigterm,
    "forks_hog": forks_hog,
}
