"""Digits by random Fourier features and a linear classifier: memory grows with `width`, step time with width x batch_size.

The function of manifests/samples/quickstart.yaml. Method: A. Rahimi, B. Recht, "Random Features for Large-Scale Kernel
Machines", NIPS 2007.
"""

from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import train_test_split

from tuningsweep import report, step

STEPS = 60
EVALUATE_EVERY = 10


def train(parameters: dict[str, Any]) -> None:
    """Train on parameters `width`, `batch_size` and `learning_rate`; reports accuracy on the validation rows."""
    width, batch_size = int(parameters["width"]), int(parameters["batch_size"])
    pixels, digits = load_digits(return_X_y=True)
    chance = np.random.default_rng(0)
    directions = chance.normal(scale=0.3, size=(pixels.shape[1], width))
    features = np.cos(pixels / 16.0 @ directions + chance.uniform(0, 2 * np.pi, width))
    training, validation, known, expected = train_test_split(features, digits, test_size=0.3, random_state=0)
    del features
    model = SGDClassifier(learning_rate="constant", eta0=float(parameters["learning_rate"]), random_state=0)
    for number in range(1, STEPS + 1):
        rows = chance.integers(0, len(training), batch_size)
        with step():
            model.partial_fit(training[rows], known[rows], classes=np.arange(10))
        if number % EVALUATE_EVERY == 0:
            report({"accuracy": model.score(validation, expected)})
