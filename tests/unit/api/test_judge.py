"""The limit policy: what stops a trial, what does not, and what it says it saw."""

from collections.abc import Iterable

import pytest

from tuningsweep_api.judge import MEMORY_SAMPLES, Sample, SampleWindow, Verdict, judge, mean_step_time
from tuningsweep_api.outcomes import Reason
from tuningsweep_api.spec.limits import Limits

MIB = 2**20


def window(samples: Iterable[Sample], *, warmup: int = 0, steps: int = 10, started: float = 0.0) -> SampleWindow:
    result = SampleWindow(started=started, warmup_steps=warmup, window_steps=steps)
    for sample in samples:
        result.add(sample)
    return result


def steady(count: int, step_seconds: float, memory: int = MIB) -> list[Sample]:
    """One sample after each of `count` steps of equal length."""
    return [
        Sample(time=n * step_seconds, memory=memory, steps=n, step_seconds=n * step_seconds, longest_step=step_seconds)
        for n in range(count + 1)
    ]


def test_no_limit_no_verdict() -> None:
    assert judge(Limits(), window(steady(100, 9.0, memory=2**40)), now=1e6) is None


def test_memory_over_the_limit_for_consecutive_samples() -> None:
    samples = [Sample(time=n, memory=(400 + n) * MIB) for n in range(1, MEMORY_SAMPLES + 1)]
    assert judge(Limits(memory="400Mi"), window(samples), now=9) == Verdict(
        Reason.MEMORY_LIMIT_EXCEEDED, 401 * MIB, 400 * MIB
    )


def test_memory_at_the_limit_is_allowed() -> None:
    assert judge(Limits(memory="400Mi"), window([Sample(n, 400 * MIB) for n in range(5)]), now=9) is None


@pytest.mark.parametrize("peak_at", range(5))
def test_one_odd_memory_sample_never_stops(peak_at: int) -> None:
    trial = SampleWindow(started=0, warmup_steps=0, window_steps=10)
    for n in range(5):
        trial.add(Sample(n, 999 * MIB if n == peak_at else 100 * MIB))
        assert judge(Limits(memory="400Mi"), trial, now=n) is None


def test_first_sample_alone_is_not_enough() -> None:
    assert judge(Limits(memory="16Mi"), window([Sample(0, 999 * MIB)]), now=0) is None


def test_step_in_flight_is_judged_while_it_runs() -> None:
    trial = window([Sample(time=1.0, memory=MIB, steps=3, step_seconds=0.3, step_started=1.0)])
    assert judge(Limits(step_time="2s"), trial, now=3.0) is None
    assert judge(Limits(step_time="2s"), trial, now=3.5) == Verdict(Reason.STEP_TIME_LIMIT_EXCEEDED, 2.5, 2.0)


def test_a_long_step_that_ended_between_two_samples_is_not_missed() -> None:
    trial = window([Sample(time=1.0, memory=MIB, steps=3, step_seconds=0.3, longest_step=0.2)])
    assert judge(Limits(step_time="100ms"), trial, now=1.0) == Verdict(Reason.STEP_TIME_LIMIT_EXCEEDED, 0.2, 0.1)


def test_mean_step_time_over_the_window() -> None:
    verdict = judge(Limits(mean_step_time="50ms"), window(steady(20, 0.06)), now=1.2)
    assert verdict is not None
    assert verdict.reason is Reason.MEAN_STEP_TIME_LIMIT_EXCEEDED
    assert verdict.observed == pytest.approx(0.06)


def test_mean_step_time_waits_for_a_full_window() -> None:
    assert judge(Limits(mean_step_time="50ms"), window(steady(5, 0.06)), now=0.3) is None


def slow_start(warmup: int) -> list[Sample]:
    """Ten steps of a second, then fast ones."""
    slow = steady(10, 1.0)
    fast = [
        Sample(time=10 + n * 0.01, memory=MIB, steps=10 + n, step_seconds=10 + n * 0.01, longest_step=1.0)
        for n in range(1, 30)
    ]
    return slow + fast


def test_warm_up_steps_do_not_count() -> None:
    limits = Limits(mean_step_time="50ms", warmup_steps=10)
    trial = SampleWindow(started=0, warmup_steps=10, window_steps=10)
    for sample in slow_start(10):
        trial.add(sample)
        assert judge(limits, trial, sample.time) is None


def test_without_warm_up_the_slow_start_stops_the_trial() -> None:
    assert judge(Limits(mean_step_time="50ms"), window(slow_start(10)[:11]), now=10) is not None


def test_one_page_fault_in_a_window_does_not_stop_a_fast_trial() -> None:
    samples = steady(15, 0.01)
    hiccup = Sample(time=0.5, memory=MIB, steps=16, step_seconds=0.15 + 0.3, longest_step=0.3)
    assert judge(Limits(mean_step_time="50ms"), window([*samples, hiccup]), now=0.5) is None


def test_a_hanging_step_raises_the_mean_while_it_runs() -> None:
    samples = steady(20, 0.01)
    trial = window([*samples, Sample(0.2, MIB, steps=20, step_seconds=0.2, longest_step=0.01, step_started=0.2)])
    assert judge(Limits(mean_step_time="50ms"), trial, now=0.3) is None
    assert judge(Limits(mean_step_time="50ms"), trial, now=0.8) is not None


def test_a_short_step_in_flight_never_lowers_the_mean() -> None:
    samples = steady(20, 0.06)
    trial = window([*samples, Sample(1.2, MIB, steps=20, step_seconds=1.2, step_started=1.2)])
    assert mean_step_time(trial, now=1.2001) == pytest.approx(0.06)


def test_many_steps_between_two_samples_are_averaged() -> None:
    trial = window([Sample(0, MIB, steps=0), Sample(1, MIB, steps=1000, step_seconds=0.9)])
    assert mean_step_time(trial, now=1) == pytest.approx(0.0009)


def test_window_keeps_a_bounded_number_of_samples() -> None:
    trial = window(steady(10_000, 0.001), steps=10)
    assert len(list(trial._by_steps)) <= 12


def test_trial_duration() -> None:
    trial = window([Sample(5, MIB)], started=5.0)
    assert judge(Limits(trial_duration="1m"), trial, now=65.0) is None
    assert judge(Limits(trial_duration="1m"), trial, now=66.0) == Verdict(Reason.TRIAL_DURATION_EXCEEDED, 61.0, 60.0)


def test_memory_comes_before_time() -> None:
    samples = [Sample(time=n, memory=999 * MIB, step_started=0.0) for n in range(3)]
    verdict = judge(Limits(memory="400Mi", step_time="1s", trial_duration="1s"), window(samples), now=9.0)
    assert verdict is not None
    assert verdict.reason is Reason.MEMORY_LIMIT_EXCEEDED


def test_a_longer_warm_up_forgets_what_it_leaves_out() -> None:
    seen = window(steady(20, 1.0), steps=5)
    assert mean_step_time(seen, now=20) == 1.0
    seen.resize(30, 5)
    for sample in steady(50, 1.0)[21:31]:
        seen.add(sample)
    assert mean_step_time(seen, now=30) is None
    for sample in steady(50, 1.0)[31:36]:
        seen.add(sample)
    assert mean_step_time(seen, now=35) == 1.0
