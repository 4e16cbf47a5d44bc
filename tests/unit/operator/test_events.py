"""Events about stops: one each, one for many at once, the same name for the same stop."""

from tuningsweep_operator.events import stop_events
from unit.operator.observations import NOW, state, stop, sweep


def told(count: int, after: int = 0) -> list[dict[str, object]]:
    stops = [stop(number, f"trial-{number:04d}") for number in range(1, count + 1)]
    return stop_events(sweep(), state(recentStops=stops, stopCount=count), after, NOW)


def test_a_stop_is_told_with_observed_and_limit() -> None:
    (event,) = told(1)
    assert event["reason"] == "MemoryLimitExceeded"
    assert event["message"] == "trial-0001 ended LimitExceeded: 412Mi is over the limit of 400Mi"


def test_what_was_told_is_not_told_again() -> None:
    assert told(3, after=3) == []
    assert len(told(3, after=2)) == 1


def test_a_stop_has_one_name_however_often_it_is_posted() -> None:
    assert told(2)[1]["metadata"] == told(2, after=1)[0]["metadata"]


def test_many_stops_at_once_are_one_event_that_names_them() -> None:
    (event,) = told(12)
    assert event["reason"] == "TrialsStopped"
    assert "12 trials stopped (12 MemoryLimitExceeded)" in str(event["message"])
    assert "trial-0012" in str(event["message"])


def test_stops_that_are_no_longer_listed_are_counted() -> None:
    stops = [stop(number, f"trial-{number:04d}") for number in range(51, 54)]
    (event,) = stop_events(sweep(), state(recentStops=stops, stopCount=53), 10, NOW)
    assert "43 trials stopped" in str(event["message"])
    assert "and 40 before them" in str(event["message"])


def test_a_message_is_bounded() -> None:
    assert len(str(told(50)[0]["message"])) < 1100
