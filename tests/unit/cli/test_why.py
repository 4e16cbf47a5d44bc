"""Why a trial ended: sentences with units, curves with the limit that was in force, advice for every reason."""

import pytest

from support.trials import MIB, OVER, record, trace_of_over
from tuningsweep_api.outcomes import Reason
from tuningsweep_cli.advice import ADVICE
from tuningsweep_cli.why import Quantity, curves, deciding_trace, plot, quantity_of, sentences


def test_sentences_say_what_was_observed_allowed_and_when() -> None:
    said = dict(sentences(OVER))
    assert said["outcome"] == "LimitExceeded (MemoryLimitExceeded)"
    assert said["observed"] == "500.0Mi"
    assert said["limit"] == "400.0Mi, 25% over it"
    assert said["when"] == "2026-01-02T03:01:00Z after 12.5s of training, 0 steps"
    assert said["parameters"] == "batch_size=300 learning_rate=0.001"
    assert said["metrics"] == "none reported"
    assert said["attempts"] == "1 training process"
    assert "limits.memory" in said["what to do"]
    assert dict(sentences(record("t", attempts=3)))["attempts"] == "3 training processes"


@pytest.mark.parametrize("reason", list(Reason))
def test_there_is_advice_for_every_reason(reason: Reason) -> None:
    assert ADVICE[reason]


def test_what_decided_is_plotted() -> None:
    assert quantity_of(OVER) is Quantity.MEMORY
    slow = record("t", outcome="LimitExceeded", reason="StepTimeLimitExceeded", observed=2.5, limit=2.0)
    assert quantity_of(slow) is Quantity.STEP_TIME


def test_curves_of_the_whole_time_have_the_limit_step_where_it_was_edited() -> None:
    shown = curves(trace_of_over(), Quantity.MEMORY, whole=True)
    assert shown.seconds == sorted(shown.seconds)
    assert (shown.seconds[0], shown.values[-1]) == (0.0, 499.0)
    assert shown.limits == [600.0, 600.0, 400.0, 400.0]
    assert shown.limit_seconds == [0.0, 1.0, 1.0, pytest.approx(3.99)]


def test_curves_around_the_end_leave_out_what_was_long_before() -> None:
    shown = curves(trace_of_over(), Quantity.MEMORY, whole=False)
    assert shown.seconds[0] > 1.9
    assert len(shown.seconds) > 100
    assert shown.limits == [400.0, 400.0]


def test_a_quantity_that_was_never_seen_has_no_values() -> None:
    assert curves(trace_of_over(), Quantity.MEAN_STEP_TIME, whole=True).values == []


def test_the_plot_has_both_curves_and_no_colour_codes_in_a_pipe() -> None:
    shown = curves(trace_of_over(), Quantity.MEMORY, whole=True)
    drawn = plot(shown, "trial-0001", 80, 18, colour=False)
    assert "\x1b" not in drawn
    assert "limit" in drawn
    assert "seconds since its training process began" in drawn
    assert max(len(line) for line in drawn.splitlines()) <= 80
    assert len(drawn.splitlines()) <= 18


def test_the_trace_that_the_trial_ended_in_decides() -> None:
    ended = trace_of_over()
    earlier = ended.model_copy(update={"outcome": None, "reason": None})
    assert deciding_trace([earlier, ended]) is ended
    assert deciding_trace([earlier]) is earlier
    assert deciding_trace([]) is None
    assert ended.points[-1].memory == 499 * MIB
