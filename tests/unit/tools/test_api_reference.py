"""The reference names the type of a field as people write it."""

import pytest

from tools.api_reference import reference_text

TEXT = reference_text()


@pytest.mark.parametrize(
    ("section", "field", "kind"),
    [
        ("spec.limits", "memory", "quantity, e.g. `400Mi`"),
        ("spec.cluster.resourcesPerTrial", "cpu", "quantity, e.g. `500m`"),
        ("spec.storage.volumeClaim", "size", "quantity, e.g. `400Mi`"),
        ("spec", "parallelTrialCount", "integer, 1 to 1000, or `Auto`"),
        ("spec", "maxTrialCount", "integer, 1 to 100000"),
    ],
)
def test_type(section: str, field: str, kind: str) -> None:
    _, _, rest = TEXT.partition(f"\n## {section}\n")
    row = next(line for line in rest.splitlines() if line.startswith(f"| `{field}` |"))
    assert row.split(" | ")[1] == kind
