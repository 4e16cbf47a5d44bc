"""Which limits held when, from the traces: limits may be edited while trials run. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tuningsweep_api.spec.limits import Limits
from tuningsweep_trainer.report.rows import milliseconds
from tuningsweep_trainer.results.traces import TrialTrace


@dataclass(frozen=True, slots=True)
class LimitPeriod:
    """A value of a limit, in bytes or seconds, and when it came into force, milliseconds since the epoch."""

    value: float
    since: int


def limit_periods(
    traces: Iterable[TrialTrace], declared: Limits, of: Callable[[Limits], float | None]
) -> list[LimitPeriod]:
    """The values one limit had, oldest first, each value once in a row; the declared one where no trace says more.

    `of` takes one limit out of all. Trials that ran at the same time saw an edit within a look of each other.
    """
    seen = sorted(
        (
            (start + round(since.seconds * 1000), of(since.limits))
            for trace in traces
            if (start := milliseconds(trace.start_time)) is not None
            for since in trace.limits
        ),
        key=lambda pair: pair[0],
    )
    periods: list[LimitPeriod] = []
    last: float | None = None
    for since, value in seen:
        if value is not None and value != last:
            periods.append(LimitPeriod(value, since))
        last = value
    value = of(declared)
    return periods or ([] if seen or value is None else [LimitPeriod(value, 0)])
