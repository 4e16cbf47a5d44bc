"""Step times by bucket: exact where a reading sees one step, by the mean where it sees more, never counted twice."""

from tuningsweep_trainer.node.step_times import BUCKETS, StepTimes, StepTimeTally, sum_step_times


def bucket(times: StepTimes, bound: float) -> int:
    return times.counts[BUCKETS.index(bound)]


def test_a_long_step_falls_into_its_bucket() -> None:
    tally = StepTimeTally(StepTimes())
    tally.take(0, 0.0)
    tally.take(1, 0.4)
    tally.take(1, 0.4)
    tally.take(2, 0.5)
    total = tally.total()
    assert bucket(total, 0.5) == bucket(total, 0.1) == 1
    assert sum(total.counts) == 2
    assert total.seconds == 0.5


def test_short_steps_count_by_their_mean() -> None:
    tally = StepTimeTally(StepTimes())
    tally.take(10, 0.02)
    assert bucket(tally.total(), 0.0025) == 10


def test_steps_longer_than_every_bound_are_counted_too() -> None:
    tally = StepTimeTally(StepTimes())
    tally.take(1, 1000.0)
    assert tally.total().counts[-1] == 1
    assert tally.total().cumulative()[-1] == ("+Inf", 1.0)


def test_the_next_trial_goes_on_from_the_last() -> None:
    first = StepTimeTally(StepTimes())
    first.take(3, 0.3)
    second = StepTimeTally(first.total())
    second.take(2, 0.2)
    assert sum(second.total().counts) == 5
    assert sum(first.total().counts) == 3


def test_parts_add_up() -> None:
    one, other = StepTimeTally(StepTimes()), StepTimeTally(StepTimes())
    one.take(3, 0.3)
    other.take(1, 2.0)
    total = sum_step_times([one.total(), other.total()])
    assert (sum(total.counts), total.seconds) == (4, 2.3)
    assert sum_step_times([]) == StepTimes()
