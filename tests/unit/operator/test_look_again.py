"""When a sweep is looked at again without an event."""

from datetime import timedelta
from typing import Any

import pytest

from tuningsweep_api.outcomes import ConditionReason
from tuningsweep_api.status import TuningSweepStatus
from tuningsweep_operator.look_again import REFUSED_SECONDS, TROUBLE_SECONDS, look_again
from tuningsweep_operator.status.conditions import timestamp
from tuningsweep_operator.status.observation import Observation, Trouble
from unit.operator.observations import NOW, SETTINGS, ray_job, sweep

DEADLINE = {"spec__activeDeadlineSeconds": 60}
REFUSED = Trouble(ConditionReason.POD_REFUSED, "no")


def seconds(
    deployment: str = "Running",
    *,
    listening: bool = True,
    since_change: float = 0.0,
    refused: bool = False,
    **edits: Any,
) -> float:
    seen = Observation(ray_job=ray_job(deployment), refusal=REFUSED if refused else None)
    status = TuningSweepStatus(start_time=timestamp(NOW - timedelta(seconds=20)))
    return look_again(sweep(**edits), status, seen, SETTINGS, NOW, since_change=since_change, listening=listening)


def test_a_running_driver_is_asked_often_only_if_it_does_not_tell_of_news() -> None:
    assert seconds(listening=False) == SETTINGS.poll_seconds
    assert seconds() == SETTINGS.resync_seconds


def test_the_deadline_and_what_was_refused_are_not_forgotten_while_listening() -> None:
    assert seconds(**DEADLINE) == 40.0
    assert seconds(refused=True) == REFUSED_SECONDS


@pytest.mark.parametrize(("since_change", "expected"), [(0.0, TROUBLE_SECONDS), (12.0, 12.0), (1e6, 300.0)])
def test_what_is_being_made_is_looked_at_the_more_seldom_the_longer_it_takes(
    since_change: float, expected: float
) -> None:
    assert seconds("Initializing", since_change=since_change) == expected


def test_what_is_suspended_is_left_alone() -> None:
    assert seconds("Suspended", spec__suspend=True) == SETTINGS.resync_seconds
