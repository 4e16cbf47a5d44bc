"""The training loss of every step of a built-in workload, read from the trial's log once the trial has ended.

The log has it anyway (`workloads.series`), so it costs the trial nothing more. Called by the sink, in its own thread.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tuningsweep_trainer.workloads.series import FIRST_STEP, TRAINING_LOSS

METRIC: Final = "step_training_loss"
LEAST_POINTS: Final = 20
MOST_POINTS: Final = 200
POINTS_A_SECOND: Final = 20
"""Points of a trial's curve, which is thinned evenly: by its seconds, within bounds. Points are what tracking costs most in
time and room, some 0.1 ms and 0.3 KiB of SQLite each (tools/measure_tracking.py), so they must not outgrow the training."""
MOST_BYTES: Final = 32 << 20
"""Of a log that is read; a longer one is left alone."""
_START: Final = f'{{"{FIRST_STEP}"'.encode()


def points_of(seconds: float) -> int:
    """How many points the curve of a trial of that length has at most."""
    return round(min(MOST_POINTS, max(LEAST_POINTS, POINTS_A_SECOND * seconds)))


def step_losses(log_file: Path, most: int) -> list[tuple[int, float]]:
    """Steps and losses of a trial's log, thinned to `most`; empty where there is none, or it is longer than is read."""
    try:
        if log_file.stat().st_size > MOST_BYTES:
            return []
        with log_file.open("rb") as lines:
            return thinned(parse(lines), most)
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


def thinned(points: list[tuple[int, float]], most: int) -> list[tuple[int, float]]:
    """Every n-th point and the last."""
    if len(points) <= most:
        return points
    stride = -(-len(points) // (most - 1))
    return [*points[::stride], points[-1]]
