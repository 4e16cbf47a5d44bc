"""Every reason a user can meet has its line in the troubleshooting page."""

from pathlib import Path

import pytest

from tuningsweep_api.outcomes import ConditionReason, Reason

PAGE = (Path(__file__).parents[3] / "docs" / "troubleshooting.md").read_text()


@pytest.mark.parametrize("reason", [*ConditionReason, *Reason])
def test_reason_is_explained(reason: ConditionReason | Reason) -> None:
    assert f"| {reason} |" in PAGE
