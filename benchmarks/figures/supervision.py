"""What supervision costs a training: the same steps in a trial of a running sweep and in a plain process, by turns.

And what the step clock costs alone. Blocks alternate, so that both see the same machine.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from benchmarks.machine import ROOT
from benchmarks.rows import Goal, Row
from benchmarks.scale import Scale
from benchmarks.statistics import interleaved, median
from benchmarks.systems.ray_cluster import ray_running
from benchmarks.systems.tuningsweep import manifest, sweep

BATCH = 32
LIMITS = {"memory": "4Gi", "meanStepTime": "10s", "stepTime": "1m", "trialDuration": "1h"}
PLAIN = "import sys; from benchmarks.workloads.blocks import plain; plain(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))"


def measure(scale: Scale) -> list[Row]:
    """Steps kept under supervision, and nanoseconds of a timed step."""
    return [_supervision(scale), _clock(scale)]


def _supervision(scale: Scale) -> Row:
    rounds, seconds = scale.pick(21, 2), 1.0 if not scale.quick else 0.1
    ours, plain = (_pipes(scale.scratch / name) for name in ("ours", "plain"))
    with (
        ray_running(scale.scratch / "ray"),
        _plain_process(plain, seconds),
        _trial(ours, seconds, scale),
        _block(ours) as supervised,
        _block(plain) as unsupervised,
    ):
        measured = interleaved(rounds, {"ours": supervised, "plain process": unsupervised})
    kept = [with_ / without for with_, without in zip(measured["ours"], measured["plain process"], strict=True)]
    note = (
        f"median over {rounds} pairs of blocks of {seconds:g} s, steps of a linear SVM of batch {BATCH}, all limits set;"
        " with supervision / without"
    )
    detail = {name: median(values) for name, values in measured.items()} | {"pairs": kept}
    return Row(
        "steps/s under supervision", "ratio", median(kept), {"plain process": 1.0}, (Goal(">=", 0.99),), note, detail
    )


def _pipes(folder: Path) -> Path:
    folder.mkdir()
    for name in ("go", "done"):
        os.mkfifo(folder / name)
    return folder


@contextmanager
def _plain_process(pipes: Path, seconds: float) -> Iterator[None]:
    child = subprocess.Popen([sys.executable, "-c", PLAIN, str(pipes), str(BATCH), str(seconds)], cwd=ROOT)
    try:
        yield
    finally:
        child.wait()


@contextmanager
def _trial(pipes: Path, seconds: float, scale: Scale) -> Iterator[None]:
    function = "benchmarks.workloads.blocks:train"
    arguments = {"pipes": str(pipes), "batch": str(BATCH), "seconds": str(seconds)}
    described = manifest(1, trainable={"function": function, "arguments": arguments}, limits=LIMITS)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            sweep(described, scale.scratch)
        except BaseException as error:  # noqa: BLE001 - raised again in the figure's own thread
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        thread.join()
        if failures:
            raise failures[0]


@contextmanager
def _block(pipes: Path) -> Iterator[Callable[[], float]]:
    """A function that has a block trained and returns its steps per second; leaving ends the process."""
    with (pipes / "go").open("w") as go, (pipes / "done").open() as done:

        def block() -> float:
            go.write("go\n")
            go.flush()
            return float(done.readline())

        block()  # warm
        yield block


def _clock(scale: Scale) -> Row:
    from tuningsweep import step

    steps = scale.pick(200_000, 1000)

    def timed(timer: Callable[[], object]) -> float:
        started = time.perf_counter_ns()
        for _ in range(steps):
            with timer():  # type: ignore[attr-defined]
                pass
        return (time.perf_counter_ns() - started) / steps

    empty = nullcontext()
    measured = interleaved(scale.pick(9, 1), {"ours": lambda: timed(step), "empty": lambda: timed(lambda: empty)})
    cost = median(measured["ours"]) - median(measured["empty"])
    return Row("step clock", "ns/step", cost, {}, (Goal("<=", 1000),), "`with step():` less an empty `with` block")
