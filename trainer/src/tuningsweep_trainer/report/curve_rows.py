"""Points of trials' curves from their traces, thinned so that a page of any sweep stays small; for `figures.curves`. Pure."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Final

from tuningsweep_trainer.report.figures.figure import Row, compact, mebibytes
from tuningsweep_trainer.report.rows import TrialRow
from tuningsweep_trainer.results.traces import TracePoint, TrialTrace

POINTS: Final = 14_000
"""Points of all curves together."""
FEWEST_POINTS: Final = 40
"""Points of a curve, however many curves there are."""


def curve_rows(rows: Sequence[TrialRow], traces: Mapping[str, Sequence[TrialTrace]]) -> list[Row]:
    """Points of the trials' curves, thinned so that all together are bounded; times are seconds of the process."""
    processes = sum(len(found) for found in traces.values()) or 1
    most = max(FEWEST_POINTS, POINTS // processes)
    outcomes = {row.trial: row.outcome for row in rows}
    found: list[Row] = []
    for trial, of_trial in traces.items():
        for attempt, trace in enumerate(of_trial, start=1):
            outcome = outcomes.get(trial, trace.outcome or "Running")
            points = _with_last(trace)
            found += [
                {
                    "trial": trial,
                    "outcome": outcome,
                    "process": f"{trial}/{attempt}",
                    "seconds": round(point.seconds, 2),
                    "memory": mebibytes(point.memory),
                    "mean": _milliseconds(point.mean_step_time),
                    "longest": _milliseconds(longest),
                }
                for point, longest in thinned(_with_longest(points), most)
            ]
            if found and attempt == len(of_trial) and points:
                found[-1]["last"] = True
    return found


def thinned(points: Sequence[tuple[TracePoint, float]], most: int) -> list[tuple[TracePoint, float]]:
    """At most `most` points: the highest in memory of each group of neighbours, and the last one as it was."""
    if len(points) <= most:
        return list(points)
    inner, groups = points[:-1], most - 1
    edges = [index * len(inner) // groups for index in range(groups + 1)]
    kept = [max(inner[edges[i] : edges[i + 1]], key=lambda pair: pair[0].memory) for i in range(groups)]
    return [*kept, points[-1]]


def _with_longest(points: Sequence[TracePoint]) -> list[tuple[TracePoint, float]]:
    """Each point with the longest step seen until then, which is what limits.stepTime is about."""
    longest = itertools.accumulate((point.step_in_flight for point in points), max)
    return list(zip(points, longest, strict=True))


def _with_last(trace: TrialTrace) -> list[TracePoint]:
    """The points until the process had ended, when it holds no memory, with the newest such look as the last one."""
    points = [point for point in trace.points if point.memory > 0]
    newest = next((look for look in reversed(trace.closing) if look.memory > 0), None)
    if newest is not None and (not points or newest.seconds > points[-1].seconds):
        points.append(newest)
    return points


def _milliseconds(seconds: float | None) -> float | None:
    return None if not seconds or seconds <= 0 else compact(seconds * 1000, 4)
