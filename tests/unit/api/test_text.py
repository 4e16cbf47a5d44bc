"""Values with units: one place for status, messages and tables."""

import pytest

from tuningsweep_api.outcomes import Reason
from tuningsweep_api.text import SENTENCE, STATUS, TABLE, Precision, in_unit_of


@pytest.mark.parametrize(
    ("precision", "memory", "short", "long"),
    [
        (STATUS, "412Mi", "61ms", "2.5s"),
        (TABLE, "412Mi", "61.2ms", "2.5s"),
        (SENTENCE, "412.3Mi", "61.2ms", "2.51s"),
    ],
)
def test_units_follow_the_reason(precision: Precision, memory: str, short: str, long: str) -> None:
    assert in_unit_of(Reason.MEMORY_LIMIT_EXCEEDED, 412.3 * 2**20, precision) == memory
    assert in_unit_of(Reason.OOM_KILLED, 412.3 * 2**20, precision) == memory
    assert in_unit_of(Reason.STEP_TIME_LIMIT_EXCEEDED, 0.0612, precision) == short
    assert in_unit_of(Reason.TRIAL_DURATION_EXCEEDED, 2.512, precision) == long
