"""`tuningsweep why`: sentences about one trial's end, and its samples against the limit as a plot; pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tuningsweep_api.outcomes import LIMIT_REASONS, Reason
from tuningsweep_api.spec.limits import Limits
from tuningsweep_api.text import SENTENCE, in_unit_of
from tuningsweep_api.trials import TrialRecord
from tuningsweep_cli import text
from tuningsweep_cli.advice import ADVICE
from tuningsweep_trainer.results.traces import TracePoint, TrialTrace

MEBI = 2**20
MILLI = 1e-3


class Quantity(StrEnum):
    """What is plotted."""

    MEMORY = "memory"
    MEAN_STEP_TIME = "mean-step-time"
    STEP_TIME = "step-time"


_DECIDED_BY = {
    Reason.MEAN_STEP_TIME_LIMIT_EXCEEDED: Quantity.MEAN_STEP_TIME,
    Reason.STEP_TIME_LIMIT_EXCEEDED: Quantity.STEP_TIME,
}


@dataclass(frozen=True, slots=True)
class _Axis:
    unit: str
    scale: float
    of: Callable[[TracePoint], float | None]
    limit: Callable[[Limits], float | None]


_AXES = {
    Quantity.MEMORY: _Axis("MiB", MEBI, lambda p: p.memory, lambda limits: limits.memory_bytes),
    Quantity.MEAN_STEP_TIME: _Axis("ms", MILLI, lambda p: p.mean_step_time, lambda limits: limits.mean_step_seconds),
    Quantity.STEP_TIME: _Axis("ms", MILLI, lambda p: p.step_in_flight, lambda limits: limits.step_seconds),
}


@dataclass(frozen=True, slots=True)
class Curves:
    """What a plot shows: seconds since the training process began, values and limits in the unit of the axis."""

    quantity: Quantity
    unit: str
    seconds: list[float]
    values: list[float]
    limit_seconds: list[float]
    limits: list[float]


def sentences(record: TrialRecord) -> list[tuple[str, str]]:
    """What a person wants to know about a trial's end, as titles and words."""
    rows = [("outcome", f"{record.outcome} ({record.reason})")]
    if record.message:
        rows.append(("what", record.message))
    if record.reason in LIMIT_REASONS and record.observed is not None and record.limit is not None:
        observed, limit = (in_unit_of(record.reason, value, SENTENCE) for value in (record.observed, record.limit))
        over = f", {record.observed / record.limit - 1:.0%} over it" if record.limit else ""
        rows += [("observed", observed), ("limit", f"{limit}{over}")]
    lasted = f" after {text.seconds(record.duration_seconds)} of training" if record.duration_seconds else ""
    rows.append(("when", f"{record.completion_time}{lasted}, {record.steps} steps"))
    rows.append(("parameters", text.parameters(record.parameters)))
    rows.append(("metrics", text.parameters(dict(record.metrics)) or "none reported"))
    attempts = "1 training process" if record.attempts == 1 else f"{record.attempts} training processes"
    rows.append(("attempts", attempts))
    rows.append(("what to do", ADVICE[record.reason]))
    return rows


def quantity_of(record: TrialRecord) -> Quantity:
    """What decided the trial's end; memory where no curve did."""
    return _DECIDED_BY.get(record.reason, Quantity.MEMORY)


def curves(trace: TrialTrace, quantity: Quantity, *, whole: bool) -> Curves:
    """The samples of a trace and the limits that were in force; without `whole` those around its end."""
    axis = _AXES[quantity]
    chosen = _points(trace, whole=whole)
    shown = [(point.seconds, value) for point in chosen if (value := axis.of(point)) is not None]
    begin, end = (chosen[0].seconds, chosen[-1].seconds) if chosen else (0.0, 0.0)
    steps = _limit_line(trace, axis.limit, begin, end)
    return Curves(
        quantity,
        axis.unit,
        [seconds for seconds, _ in shown],
        [value / axis.scale for _, value in shown],
        [seconds for seconds, _ in steps],
        [value / axis.scale for _, value in steps],
    )


def _points(trace: TrialTrace, *, whole: bool) -> list[TracePoint]:
    """Coarse points, then the last looks as they were; around the end they have half of the time."""
    if not trace.closing:
        return list(trace.points)
    first, last = trace.closing[0].seconds, trace.closing[-1].seconds
    begin = 0.0 if whole else first - (last - first)
    return [point for point in trace.points if begin <= point.seconds < first] + list(trace.closing)


def _limit_line(
    trace: TrialTrace, limit: Callable[[Limits], float | None], begin: float, end: float
) -> list[tuple[float, float]]:
    """Corners of the limit's line between two moments; a limit that was edited makes a step."""
    corners: list[tuple[float, float]] = []
    for since, until in zip(trace.limits, [*(entry.seconds for entry in trace.limits[1:]), end], strict=False):
        value = limit(since.limits)
        start, stop = max(since.seconds, begin), min(until, end)
        if value is not None and stop >= start:
            corners += [(start, value), (stop, value)]
    return corners


def plot(shown: Curves, title: str, width: int, height: int, *, colour: bool) -> str:
    """The curves as lines of text."""
    import plotext

    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plot_size(width, height)
    plotext.title(title)
    plotext.xlabel("seconds since its training process began")
    plotext.ylabel(shown.unit)
    plotext.plot(shown.seconds, shown.values, label=shown.quantity.value, marker="braille", color="cyan")
    if shown.limits:
        plotext.plot(shown.limit_seconds, shown.limits, label="limit", marker="-", color="red")
    plotext.ylim(0, max([*shown.values, *shown.limits]) * 1.3 or 1.0)
    drawn: str = plotext.build()
    return drawn if colour else str(plotext.uncolorize(drawn))


def deciding_trace(traces: Sequence[TrialTrace]) -> TrialTrace | None:
    """The trace of the training process that the trial ended in."""
    return next((trace for trace in reversed(traces) if trace.outcome is not None), traces[-1] if traces else None)
