"""Quantities and durations are read as Kubernetes reads them."""

from decimal import Decimal

import pytest

from tuningsweep_api.quantities import duration_seconds, quantity_bytes, quantity_value


@pytest.mark.parametrize(
    ("text", "value"),
    [("400Mi", 400 * 2**20), ("1Gi", 2**30), ("1.5Gi", 3 * 2**29), ("1G", 10**9), ("512", 512), ("2k", 2000)],
)
def test_memory(text: str, value: int) -> None:
    assert quantity_bytes(text) == value


def test_millicores() -> None:
    assert quantity_value("250m") == Decimal("0.25")


@pytest.mark.parametrize("text", ["400MB", "", "Mi", "-1", "1e3", "1 Gi"])
def test_what_is_not_a_quantity_says_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="such as 400Mi"):
        quantity_value(text)


@pytest.mark.parametrize(
    ("text", "seconds"), [("50ms", 0.05), ("2s", 2), ("1h30m", 5400), ("1m30s", 90), ("1s500ms", 1.5)]
)
def test_duration(text: str, seconds: float) -> None:
    assert duration_seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["5", "1.5s", "1d", "", "s", "-1s", "1s 2ms"])
def test_what_is_not_a_duration_says_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="such as 50ms"):
        duration_seconds(text)
