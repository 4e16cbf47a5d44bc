"""What stopped trials would still have needed: bounds, what is left out, where step times come from."""

import pytest

from support.results import record, trace
from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_trainer.report.savings import estimate

OVER_MEAN = {"outcome": Outcome.LIMIT_EXCEEDED, "reason": Reason.MEAN_STEP_TIME_LIMIT_EXCEEDED}
OVER_MEMORY = {"outcome": Outcome.LIMIT_EXCEEDED, "reason": Reason.MEMORY_LIMIT_EXCEEDED}


def test_the_estimate_is_missing_steps_times_step_time_times_share_of_a_cpu() -> None:
    slow = record(2, **OVER_MEAN, observed=0.5, limit=0.1, steps=20, duration_seconds=10.0, cpu_seconds=5.0)
    savings = estimate([record(0, steps=100), record(1, steps=60), slow], {})
    assert savings.by_trial[slow.trial].low == pytest.approx((60 - 20) * 0.5 * 0.5)
    assert savings.by_trial[slow.trial].high == pytest.approx((100 - 20) * 0.5 * 0.5)
    assert (savings.low, savings.high, savings.uncounted) == (10.0, 20.0, 0)


def test_used_counts_every_trial() -> None:
    assert estimate([record(0, cpu_seconds=2.0), record(1, **OVER_MEMORY, cpu_seconds=3.0)], {}).used == 5.0


def test_a_trial_that_ended_before_its_step_time_was_known_is_left_out_and_counted() -> None:
    savings = estimate([record(0, steps=60), record(1, **OVER_MEMORY, steps=0, metrics={})], {})
    assert (savings.low, savings.high, savings.uncounted) == (0.0, 0.0, 1)


def test_a_trial_that_never_reported_has_its_step_time_from_its_trace() -> None:
    big = record(1, **OVER_MEMORY, steps=10, metrics={}, duration_seconds=4.0, cpu_seconds=4.0)
    savings = estimate([record(0, steps=60), big], {big.trial: [trace(big.trial, mean_step_time=0.2)]})
    assert savings.by_trial[big.trial].low == pytest.approx(50 * 0.2)


def test_nothing_is_estimated_where_no_trial_finished() -> None:
    savings = estimate([record(0, **OVER_MEAN, observed=0.5, steps=3)], {})
    assert (savings.low, savings.by_trial, savings.uncounted) == (0.0, {}, 1)


def test_failed_and_requested_stops_save_nothing() -> None:
    records = [
        record(0),
        record(1, outcome=Outcome.FAILED, reason=Reason.TRAINABLE_ERROR),
        record(2, outcome=Outcome.STOPPED, reason=Reason.STOP_REQUESTED),
    ]
    savings = estimate(records, {})
    assert (savings.by_trial, savings.uncounted) == ({}, 0)


def test_a_trial_stopped_after_more_steps_than_the_others_needed_saves_nothing_below_zero() -> None:
    late = record(1, **OVER_MEAN, observed=0.5, steps=90)
    assert estimate([record(0, steps=60), late], {}).by_trial[late.trial].low == 0.0


def test_no_trials_at_all() -> None:
    savings = estimate([], {})
    assert (savings.low, savings.high, savings.used, savings.uncounted) == (0, 0, 0, 0)


def test_a_trial_without_a_finished_step_has_no_step_time() -> None:
    none = record(1, **OVER_MEMORY, steps=0, metrics={})
    assert estimate([record(0), none], {none.trial: [trace(none.trial, mean_step_time=0.2)]}).uncounted == 1
