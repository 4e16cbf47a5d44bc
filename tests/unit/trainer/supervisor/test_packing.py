"""Who may start beside whom: the pure decision, as a table and over random arrivals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuningsweep_api.spec.limits import LimitAction, Limits
from tuningsweep_trainer.container import MemoryRoom
from tuningsweep_trainer.supervisor.packing import (
    PATIENCE_SECONDS,
    Candidate,
    RunningTrial,
    expected_peak,
    hold_reason,
    reserve,
)

MI = 1 << 20
ROOM = MemoryRoom(4000 * MI, 1000 * MI)
RESERVE = reserve(ROOM)


def candidate(peak_mi: float | None, since: float = 0.0) -> Candidate:
    return Candidate(None if peak_mi is None else int(peak_mi * MI), since)


def running(memory_mi: int, peak_mi: int | None) -> RunningTrial:
    return RunningTrial(memory_mi * MI, None if peak_mi is None else peak_mi * MI)


FREE = 3000 - RESERVE / MI
"""MiB for trials beside what is used."""


@pytest.mark.parametrize(
    ("beside", "wanted", "words"),
    [
        ([], candidate(10**6), None),  # one may always run
        ([], candidate(None), None),
        ([running(500, 500)], candidate(FREE), None),
        (
            [running(500, 500)],
            candidate(FREE + 1),
            r"it may need 2801Mi, and of 4000Mi the trials that run leave 2800Mi",
        ),
        ([running(100, 600)], candidate(FREE - 500), None),  # what it has yet to take counts
        ([running(100, 600)], candidate(FREE - 499), "leave 2300Mi"),
        ([running(900, 600)], candidate(FREE), None),  # more than expected: it is in what is used
        ([running(100, 600)], candidate(None), "waits to run alone; limits.memory would bound it"),
        ([running(100, None)], candidate(1), "a trial runs of whose memory nothing is known yet"),
    ],
)
def test_a_trial_starts_if_it_fits_beside_what_the_others_hold_and_may_yet_take(
    beside: list[RunningTrial], wanted: Candidate, words: str | None
) -> None:
    why = hold_reason(ROOM, beside, wanted, [], now=1.0)
    assert why is None if words is None else words in str(why)


def test_a_large_trial_is_passed_by_small_ones_for_a_while_only() -> None:
    beside, large = [running(500, 500)], candidate(FREE + 1, since=10.0)
    small = candidate(1, since=20.0)
    assert hold_reason(ROOM, beside, small, [large], now=10.0 + PATIENCE_SECONDS) is None
    assert "goes first" in str(hold_reason(ROOM, beside, small, [large], now=10.1 + PATIENCE_SECONDS))
    assert hold_reason(ROOM, [], large, [small], now=100.0) is None
    older_small = candidate(1, since=5.0)
    assert hold_reason(ROOM, beside, older_small, [large], now=100.0) is None


@given(
    peaks=st.lists(st.one_of(st.none(), st.integers(1, 5000)), min_size=1, max_size=12),
    growth=st.floats(0.0, 1.0),
)
def test_those_admitted_never_need_more_than_there_is_and_nobody_waits_for_ever(
    peaks: list[int | None], growth: float
) -> None:
    waiting = [candidate(peak, since=float(number)) for number, peak in enumerate(peaks)]
    now, ended = 0.0, 0
    admitted: list[tuple[Candidate, RunningTrial]] = []
    while waiting:
        now += 7.0
        for one in list(waiting):
            trials = [trial for _, trial in admitted]
            room = MemoryRoom(ROOM.limit, ROOM.used + sum(trial.memory for trial in trials))
            others = [other for other in waiting if other is not one]
            if hold_reason(room, trials, one, others, now) is None:
                waiting.remove(one)
                admitted.append((one, RunningTrial(int(growth * (one.peak or 0)), one.peak)))
        assert admitted, "something always runs"
        together = [one.peak for one, _ in admitted]
        assert len(together) == 1 or None not in together
        assert len(together) == 1 or ROOM.used + sum(filter(None, together)) + RESERVE <= ROOM.limit
        admitted.pop(0)
        ended += 1
        assert ended <= len(peaks)


@pytest.mark.parametrize(
    ("forecast_mi", "limits", "expected_mi"),
    [
        (None, Limits(), None),
        (900, Limits(), 900),
        (None, Limits(memory="200Mi"), 200),
        (900, Limits(memory="200Mi"), 200),
        (100, Limits(memory="200Mi"), 100),
        (900, Limits(memory="200Mi", action=LimitAction.WARN), 900),
    ],
)
def test_a_limit_that_stops_bounds_what_a_trial_may_hold(
    forecast_mi: int | None, limits: Limits, expected_mi: int | None
) -> None:
    forecast = None if forecast_mi is None else forecast_mi * MI
    assert expected_peak(forecast, limits) == (None if expected_mi is None else expected_mi * MI)
