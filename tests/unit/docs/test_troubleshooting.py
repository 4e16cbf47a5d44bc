"""Every reason a user can meet has its line in the troubleshooting page, and what it looks for is what is there."""

from pathlib import Path

import pytest

from tuningsweep_api.outcomes import ConditionReason, Reason
from tuningsweep_operator.builders.network_policy import KUBERAY_LABELS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text()


@pytest.mark.parametrize("reason", [*ConditionReason, *Reason])
def test_reason_is_explained(reason: ConditionReason | Reason) -> None:
    assert f"| {reason} |" in PAGE


@pytest.mark.parametrize("file", ["docs/troubleshooting.md", "docs/monitoring.md", "charts/tuningsweep/files/rules.yaml"])
def test_kuberay_is_looked_for_by_the_label_that_both_of_its_installations_carry(file: str) -> None:
    ((label, value),) = KUBERAY_LABELS.items()
    assert f"{label}={value}" in (ROOT / file).read_text()
