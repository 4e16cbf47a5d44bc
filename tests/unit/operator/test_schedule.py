"""The work queue's schedule: due once, never twice at a time, backing off while it fails."""

from tuningsweep_operator.work_queue import LONGEST_BACKOFF, Schedule, backoff_seconds

KEY = ("team", "a")
OTHER = ("team", "b")


def test_many_events_are_one_piece_of_work() -> None:
    schedule = Schedule()
    for due in (1.0, 2.0, 3.0):
        schedule.add(KEY, due)
    assert schedule.take(5.0) == KEY
    schedule.done(KEY, None)
    assert schedule.take(5.0) is None


def test_a_busy_key_waits_and_is_not_lost() -> None:
    schedule = Schedule()
    schedule.add(KEY, 0.0)
    assert schedule.take(0.0) == KEY
    schedule.add(KEY, 1.0)
    assert schedule.take(2.0) is None
    schedule.done(KEY, None)
    assert schedule.take(2.0) == KEY


def test_the_longest_due_comes_first_and_nothing_early() -> None:
    schedule = Schedule()
    schedule.add(OTHER, 2.0)
    schedule.add(KEY, 1.0)
    assert schedule.take(0.5) is None
    assert schedule.next_due() == 1.0
    assert schedule.take(3.0) == KEY
    assert schedule.take(3.0) == OTHER


def test_an_event_makes_a_later_turn_earlier_but_not_later() -> None:
    schedule = Schedule()
    schedule.add(KEY, 60.0)
    schedule.add(KEY, 1.0)
    schedule.add(KEY, 90.0)
    assert schedule.next_due() == 1.0


def test_backoff_grows_is_bounded_and_ends_with_success() -> None:
    schedule = Schedule()
    waits = []
    for now in range(10):
        schedule.add(KEY, float(now))
        schedule.take(1e9)
        waits.append(schedule.failed(KEY, float(now)))
    assert waits[:3] == [0.5, 1.0, 2.0]
    assert waits[-1] == LONGEST_BACKOFF
    schedule.take(1e9)
    schedule.done(KEY, None)
    assert backoff_seconds(1) == 0.5
    schedule.add(KEY, 0.0)
    schedule.take(0.0)
    assert schedule.failed(KEY, 0.0) == 0.5


def test_a_busy_key_made_due_later_does_not_hide_others() -> None:
    schedule = Schedule()
    schedule.add(KEY, 0.0)
    schedule.take(0.0)
    schedule.add(KEY, 1.0)
    schedule.add(OTHER, 5.0)
    assert schedule.next_due() == 5.0
    schedule.done(KEY, 30.0)
    assert schedule.next_due() == 1.0
    assert [schedule.take(9.0), schedule.take(9.0), schedule.take(9.0)] == [KEY, OTHER, None]


def test_an_api_server_that_wants_to_be_left_alone_is() -> None:
    schedule = Schedule()
    schedule.add(KEY, 0.0)
    assert schedule.take(0.0) == KEY
    assert schedule.failed(KEY, 0.0, at_least=7.0) == 7.0
    assert schedule.take(6.9) is None


def test_a_replica_that_takes_over_holds_no_failure_against_a_key() -> None:
    schedule = Schedule()
    for _ in range(5):
        schedule.add(KEY, 0.0)
        assert schedule.take(100.0) == KEY
        schedule.failed(KEY, 0.0)
    schedule.forgive()
    assert schedule.take(100.0) == KEY
    assert schedule.failed(KEY, 100.0) == backoff_seconds(1)
