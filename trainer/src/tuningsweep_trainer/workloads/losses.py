"""Losses and metrics of the linear models, computed block by block so that an evaluation adds little memory.

Called by the training loop after a step and at evaluations; pure functions of weights and rows.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

Array = np.ndarray[Any, Any]
Loss = Callable[[Array, Array], Array]

BLOCK_ROWS: Final = 1024
BOUND: Final = 1e30
"""Values of a diverged model are reported as this at most: metrics must be finite to be compared."""


def loss_of(name: str, epsilon: float) -> Loss:
    """Loss of one value: (signed target -1/+1 or number, score) -> loss, element by element, as scikit-learn names them."""
    losses: dict[str, Loss] = {
        "squared_error": lambda y, score: 0.5 * (y - score) ** 2,
        "epsilon_insensitive": lambda y, score: np.maximum(0.0, np.abs(y - score) - epsilon),
        "perceptron": lambda y, score: np.maximum(0.0, -y * score),
        "hinge": lambda y, score: np.maximum(0.0, 1.0 - y * score),
        "log_loss": lambda y, score: np.logaddexp(0.0, -y * score),
    }
    return losses[name]


def finite(value: float) -> float:
    """The value within -BOUND..BOUND; what is not a number counts as BOUND, the worst loss."""
    return BOUND if np.isnan(value) else float(np.clip(value, -BOUND, BOUND))


def scored_blocks(features: Array, target: Array, weights: Array, intercept: Array) -> Iterator[tuple[Array, Array]]:
    """Target and scores (rows x problems) of BLOCK_ROWS rows at a time."""
    for start in range(0, len(target), BLOCK_ROWS):
        end = start + BLOCK_ROWS
        yield target[start:end], features[start:end] @ weights.T + intercept


def signed(target: Array, problems: int) -> Array:
    """Class codes as -1/+1 for each one-vs-rest problem (rows x problems); one problem means code 1 against code 0."""
    positive = target[:, None] == (np.arange(problems) if problems > 1 else np.array([1]))
    return np.where(positive, 1.0, -1.0)


def classification_sums(target: Array, scores: Array, loss: Loss) -> tuple[float, int]:
    """Sum over rows of the loss (mean over one-vs-rest problems), and the number of right answers."""
    problems = scores.shape[1]
    losses = loss(signed(target, problems), scores).mean(axis=1)
    answers = scores.argmax(axis=1) if problems > 1 else (scores[:, 0] > 0).astype(target.dtype)
    return float(losses.sum()), int((answers == target).sum())


def regression_sums(target: Array, scores: Array, loss: Loss) -> tuple[float, float]:
    """Sum over rows of the loss, and of the squared error."""
    difference = target - scores[:, 0]
    return float(loss(target, scores[:, 0]).sum()), float(difference @ difference)
