"""How features are scaled: whatever the unit, by the same rule as scikit-learn's scaler."""

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from tuningsweep_trainer.datasets.splitting import block_rows, scaling

ROWS = 3 * block_rows(8) // 2
"""More than a block: rounding errors add up over blocks."""
RANDOM = np.random.default_rng(0).normal(size=ROWS)
VARYING = {
    "ordinary": 5.0 + RANDOM,
    "in a very small unit": 1e-13 * (3.0 + RANDOM),
    "in a very large unit": 1e13 * (3.0 + RANDOM),
    "far from zero": 1e3 + 1e-3 * RANDOM,
    "one row": (np.arange(ROWS) == 7) * 1e-13,
}
CONSTANT = (0.0, 0.1, 1e-13, -1e9 - 0.1, 1e30 / 3)


def scaled(column: np.ndarray) -> tuple[float, float]:
    """Mean and deviation of a column among others."""
    features = np.column_stack([column] * 8)
    mean, deviation = scaling(features, np.arange(ROWS))
    return float(mean[0]), float(deviation[0])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", VARYING)
def test_a_column_that_varies_is_a_feature_in_any_unit(name: str, dtype: type) -> None:
    column = VARYING[name].astype(dtype)
    mean, deviation = scaled(column)
    expected = StandardScaler().fit(column.astype(np.float64)[:, None])
    assert mean == pytest.approx(expected.mean_[0], rel=1e-9, abs=0)
    assert deviation == pytest.approx(expected.scale_[0], rel=1e-6, abs=0)
    assert deviation != 1.0


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("value", CONSTANT)
def test_a_column_of_one_value_is_constant_in_spite_of_rounding(value: float, dtype: type) -> None:
    assert scaled(np.full(ROWS, value, dtype))[1] == 1.0
