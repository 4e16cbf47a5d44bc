"""Trials that hold memory until they are told to go, so that a figure can look at all processes meanwhile.

Files in a folder are the signals: a trial writes `held-PID` once it holds, and ends when `go` is there.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HELD_BYTES = 64 << 20
POLL_SECONDS = 0.05


def hold(folder: str, take: Callable[[], object]) -> None:
    """Hold what `take` returns until told to go."""
    held = take()
    (Path(folder) / f"held-{os.getpid()}").touch()
    while not (Path(folder) / "go").exists():
        time.sleep(POLL_SECONDS)
    del held


def some_memory() -> object:
    """HELD_BYTES that are the trial's own."""
    held = bytearray(HELD_BYTES)
    held[::4096] = b"x" * (HELD_BYTES // 4096)
    return held


def train(parameters: dict[str, Any]) -> None:
    """As a trial of ours."""
    from tuningsweep import report

    hold(str(parameters["folder"]), some_memory)
    report({"loss": 1.0})


def tune_train(config: dict[str, Any]) -> None:
    """As a function trainable of bare Tune."""
    from ray import tune

    hold(config["folder"], some_memory)
    tune.report({"loss": 1.0})


def pool_train(folder: str) -> None:
    """As a task of a process pool."""
    hold(folder, some_memory)


def tune_loads(config: dict[str, Any]) -> None:
    """A function trainable that loads the data set itself, as most users write it: a NumPy file into memory."""
    import numpy as np
    from ray import tune

    hold(config["folder"], lambda: np.load(config["file"]))
    tune.report({"loss": 1.0})


def tune_shares(config: dict[str, Any], rows: Any = None) -> None:
    """A function trainable whose data set is in Ray's object store (`tune.with_parameters`), which maps it."""
    from ray import tune

    hold(config["folder"], lambda: rows.sum())
    tune.report({"loss": 1.0})
