"""Records what training processes really look like from outside, for tests/unit/api/test_judge_recorded.py.

Run by hand on a real machine (`python tools/record_traces.py`); the recordings are committed, since a test that records
anew would judge other noise every time. Memory is read every millisecond, step times as the training loop takes them.
"""

import json
import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tuningsweep_trainer.training.process_tree import parse_statm

TARGET = Path(__file__).parent.parent / "tests" / "unit" / "api" / "recorded"
SECONDS = 3.0
ROWS, FEATURES, CLASSES = 20_000, 784, 10


def _data() -> tuple[Any, Any]:
    from sklearn.datasets import make_classification

    return make_classification(ROWS, FEATURES, n_informative=50, n_classes=CLASSES, random_state=0)


def _train(batch: int, channel: Any) -> None:
    """SGD with random batches, each a copy: memory goes up and down with every step."""
    from sklearn.linear_model import SGDClassifier

    rows, labels = _data()
    model, generator = SGDClassifier(), np.random.default_rng(0)
    steps: list[float] = []
    channel.send("ready")
    began = time.monotonic()
    while time.monotonic() - began < SECONDS:
        started = time.perf_counter()
        chosen = generator.integers(ROWS, size=batch)
        model.partial_fit(rows[chosen], labels[chosen], classes=range(CLASSES))
        steps.append(time.perf_counter() - started)
    channel.send(steps)


def _churn(megabytes: int, channel: Any) -> None:
    """Python objects made and dropped: allocator and garbage collector at work."""
    channel.send("ready")
    began, steps = time.monotonic(), []
    while time.monotonic() - began < SECONDS:
        started = time.perf_counter()
        kept = [bytes(1000) for _ in range(megabytes * 1000)]
        del kept[::2]
        steps.append(time.perf_counter() - started)
    channel.send(steps)


def _leak(megabytes: int, channel: Any) -> None:
    """Grows by so many megabytes a second."""
    channel.send("ready")
    began, kept, steps = time.monotonic(), [], []
    while time.monotonic() - began < SECONDS:
        started = time.perf_counter()
        kept.append(np.ones(megabytes * 12_500 // 10))
        time.sleep(0.01)
        steps.append(time.perf_counter() - started)
    channel.send(steps)


CASES: dict[str, tuple[Callable[[int, Any], None], int, str]] = {
    "random_batches_large": (_train, 10_000, "SGD on 20,000 x 784 rows, random batches of 10,000"),
    "random_batches_small": (_train, 300, "SGD on 20,000 x 784 rows, random batches of 300"),
    "object_churn": (_churn, 40, "40 MB of small Python objects made and half dropped, over and over"),
    "slow_leak": (_leak, 100, "a process that grows by about 100 MB a second"),
}


def record(name: str) -> dict[str, Any]:
    """One recording."""
    function, argument, about = CASES[name]
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=function, args=(argument, theirs))
    process.start()
    assert ours.recv() == "ready"
    statm, memory, due = Path(f"/proc/{process.pid}/statm"), [], time.monotonic()
    while not ours.poll():
        memory.append(parse_statm(statm.read_bytes()) >> 10)
        due += 0.001
        time.sleep(max(0.0, due - time.monotonic()))
    steps = [round(step, 6) for step in ours.recv()]
    process.join()
    return {"about": about, "interval_seconds": 0.001, "memory_kib": memory, "step_seconds": steps[:2000]}


def main() -> None:
    """Record every case."""
    TARGET.mkdir(parents=True, exist_ok=True)
    for name in CASES:
        (TARGET / f"{name}.json").write_text(json.dumps(record(name)) + "\n")
        print(f"recorded {name}")


if __name__ == "__main__":
    main()
