"""Blocks of training steps on request, in a trial or in a plain process: the same arithmetic under both.

The figure writes a line to the `go` pipe for each block and reads its steps per second from the `done` pipe.
"""

import contextlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

Timer = Callable[[], AbstractContextManager[None]]


def train(parameters: dict[str, Any]) -> None:
    """As a trial of ours: every step is timed, every block ends with a report."""
    from tuningsweep import report, step

    answer(Path(str(parameters["pipes"])), int(parameters["batch"]), float(parameters["seconds"]), step)
    report({"loss": float(parameters["x"])})


def plain(pipes: str, batch: int, seconds: float) -> None:
    """As a plain process."""
    answer(Path(pipes), batch, seconds, contextlib.nullcontext)


def answer(pipes: Path, batch: int, seconds: float, timer: Timer) -> None:
    """Train a block for each line in the `go` pipe until it is closed."""
    step = training_step(batch)
    with (pipes / "go").open() as go, (pipes / "done").open("w") as done:
        for _ in go:
            done.write(f"{steps_per_second(step, timer, seconds)}\n")
            done.flush()


def training_step(batch: int) -> Callable[[], None]:
    """One partial_fit of a linear SVM, 784 features and 10 classes."""
    import numpy as np
    from sklearn.linear_model import SGDClassifier
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
    random = np.random.default_rng(0)
    features, target = random.normal(size=(batch, 784)), random.integers(0, 10, batch)
    model, classes = SGDClassifier(loss="hinge", learning_rate="constant", eta0=0.01), np.arange(10)

    def step() -> None:
        model.partial_fit(features, target, classes=classes)

    return step


def steps_per_second(step: Callable[[], None], timer: Timer, seconds: float) -> float:
    """Steps per second over about `seconds`."""
    started, steps = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - started) < seconds:
        with timer():
            step()
        steps += 1
    return steps / elapsed
