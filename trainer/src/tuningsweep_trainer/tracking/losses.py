"""The training loss of every step of a built-in workload, read from the trial's log once the trial has ended.

The log has it anyway (`workloads.series`), so it costs the trial nothing more. Called by the sink, in its own thread.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tuningsweep_trainer.workloads.series import FIRST_STEP, TRAINING_LOSS

METRIC: Final = "step_training_loss"
MOST_POINTS: Final = 200
"""Points of one trial's curve; a longer one is thinned evenly. Points are what tracking costs most in time and room: with
these a trial takes 50 ms and 90 KiB of SQLite (tools/measure_tracking.py), with 1,000 it took 120 ms and 320 KiB."""
MOST_BYTES: Final = 32 << 20
"""Of a log that is read; a longer one is left alone."""
_START: Final = f'{{"{FIRST_STEP}"'.encode()


def step_losses(log_file: Path) -> list[tuple[int, float]]:
    """Steps and losses of a trial's log, thinned to MOST_POINTS; empty where there is none, or it is longer than is read."""
    try:
        if log_file.stat().st_size > MOST_BYTES:
            return []
        with log_file.open("rb") as lines:
            return thinned(parse(lines))
    except OSError:
        return []


def parse(lines: Iterable[bytes]) -> list[tuple[int, float]]:
    """Steps in order with their losses; where a trial went on from a checkpoint, the later run of a step counts."""
    found: dict[int, float] = {}
    for line in lines:
        if line.startswith(_START):
            try:
                series = json.loads(line)
                losses = enumerate(series[TRAINING_LOSS], start=int(series[FIRST_STEP]))
                found |= {step: float(loss) for step, loss in losses}
            except (ValueError, KeyError, TypeError):
                continue  # a line torn by a kill
    return sorted(found.items())


def thinned(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Every n-th point and the last."""
    if len(points) <= MOST_POINTS:
        return points
    stride = -(-len(points) // (MOST_POINTS - 1))
    return [*points[::stride], points[-1]]
