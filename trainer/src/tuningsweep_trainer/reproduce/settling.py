"""What the samples support as defaults: warm-up, window and sampling interval. Pure; written to findings.json by the command.

A trial's level is its median after the first half of its points. Warm-up is how long step time and memory take to stay near
the level; a window is long enough when its mean strays so little that a limit with headroom is not crossed by chance; looks
are close enough when memory moves little between two of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

import numpy as np
import pandas as pd

STEP_TOLERANCE: Final = 0.25
"""Part of the level that a mean step time may stray: limits are advised with as much headroom (arms.HEADROOM)."""
MEMORY_TOLERANCE: Final = 0.05
"""Part of the level within which memory counts as level."""
WINDOWS: Final = (1, 2, 5, 10, 20, 50)
"""Steps."""
SPACINGS: Final = (1, 2, 5, 10, 20)
"""Points of a trace between two looks."""
ACCEPTED: Final = 0.01
"""Part of windows that may stray, and of looks that may miss a movement of memory."""
FEWEST_POINTS: Final = 10
COARSEST_STEPS: Final = 5
"""Steps between two points up to which a trial shows what happens within a few steps; shorter steps blur."""
SETTLED_SHARE: Final = 0.95
"""Part of the trials that a warm-up must be long enough for."""


@dataclass(frozen=True, slots=True)
class Course:
    """A trial's points between evaluations: steps done, mean step time since the point before, memory, time."""

    steps: "np.ndarray[Any, np.dtype[np.float64]]"
    step_seconds: "np.ndarray[Any, np.dtype[np.float64]]"
    memory: "np.ndarray[Any, np.dtype[np.float64]]"
    elapsed: "np.ndarray[Any, np.dtype[np.float64]]"


def courses(samples: pd.DataFrame) -> list[Course]:
    """Of the trials in the samples' table that have FEWEST_POINTS; without the rows of evaluations and of single losses."""
    points = samples[samples["memory_bytes"].notna() & samples["validation_loss"].isna()]
    found = []
    for _, rows in points.groupby(["workload", "run", "trial"], sort=True):
        rows = rows.sort_values("elapsed_seconds")
        rows = rows[rows["mean_step_seconds"].notna()]
        if len(rows) >= FEWEST_POINTS:
            columns = ("step", "mean_step_seconds", "memory_bytes", "elapsed_seconds")
            found.append(Course(*(rows[column].to_numpy(dtype=np.float64) for column in columns)))
    return found


def findings(samples: pd.DataFrame) -> dict[str, Any]:
    """The measured values, each with how many trials it rests on; empty of values where no trial has enough points."""
    trials = courses(samples)
    if not trials:
        return {"trials": 0}
    fine = [course for course in trials if np.median(np.diff(course.steps)) <= COARSEST_STEPS]
    stray = {window: strays(fine, window) for window in WINDOWS}
    spacing = median(float(np.median(np.diff(course.elapsed))) for course in trials)
    moves = {f"{times * spacing:.2f}": moved(trials, times) for times in SPACINGS}
    return {
        "trials": len(trials),
        "trials_step_by_step": len(fine),
        "warmup_steps_for_step_time": _quantile(settled_after(c.steps, c.step_seconds, STEP_TOLERANCE) for c in fine),
        "warmup_steps_for_memory": _quantile(settled_after(c.steps, c.memory, MEMORY_TOLERANCE) for c in fine),
        "warmup_seconds_for_memory": _quantile(settled_after(c.elapsed, c.memory, MEMORY_TOLERANCE) for c in trials),
        "windows_over_headroom": {str(window): part for window, part in stray.items() if part is not None},
        "window_steps": next((w for w, part in stray.items() if part is not None and part <= ACCEPTED), None),
        "memory_moves_between_looks": moves,
        "sampling_seconds": max((float(seconds) for seconds, part in moves.items() if part <= ACCEPTED), default=None),
        "tolerances": {"step_time": STEP_TOLERANCE, "memory": MEMORY_TOLERANCE, "accepted_part": ACCEPTED},
    }


def level(values: Sequence[float] | Any) -> float:
    """The median of the second half."""
    return float(np.median(values[len(values) // 2 :]))


def settled_after(at: Any, values: Any, tolerance: float) -> float:
    """Where (steps or seconds) the values have come within the tolerance of their level for the first time."""
    near = np.abs(np.asarray(values) / level(values) - 1.0) <= tolerance
    return float(at[int(np.argmax(near))]) if near.any() else float(at[-1])


def strays(trials: Iterable[Course], window: int) -> float | None:
    """Part of the windows of so many steps whose mean is over the level's headroom; None if no trial shows such windows.

    Only trials whose points are no more than a window apart show them; the warm-up, a tenth of the points, is left out.
    """
    over, seen = 0, 0
    for course in trials:
        gaps = np.diff(course.steps)
        if len(gaps) == 0 or np.median(gaps) > window:
            continue
        means = window_means(course, window)[len(course.steps) // 10 :]
        over += int((means > (1.0 + STEP_TOLERANCE) * level(course.step_seconds)).sum())
        seen += len(means)
    return over / seen if seen else None


def window_means(course: Course, window: int) -> Any:
    """Mean step time over the last `window` steps at each point, seconds."""
    taken = np.diff(course.steps, prepend=course.steps[0] - 1.0)
    total = np.concatenate([[0.0], np.cumsum(course.step_seconds * taken)])
    done = np.concatenate([[course.steps[0] - 1.0], course.steps])
    first = np.clip(np.searchsorted(done, course.steps - window, side="right") - 1, 0, None)
    last = np.arange(1, len(done))
    return (total[last] - total[first]) / (done[last] - done[first])


def moved(trials: Iterable[Course], times: int) -> float:
    """Part of pairs of points so many places apart, after warm-up, between which memory rose by more than the tolerance."""
    over, seen = 0, 0
    for course in trials:
        memory = course.memory[len(course.memory) // 10 :]
        rises = memory[times:] - memory[:-times]
        over += int((rises > MEMORY_TOLERANCE * level(course.memory)).sum())
        seen += len(rises)
    return over / seen if seen else 0.0


def _quantile(values: Iterable[float]) -> dict[str, float]:
    found = np.array(list(values))
    if not len(found):
        return {}
    return {"median": float(np.median(found)), f"quantile_{SETTLED_SHARE}": float(np.quantile(found, SETTLED_SHARE))}
