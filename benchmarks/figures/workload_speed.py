"""Steps per second of the built-in workloads beside a direct `partial_fit` loop that computes the same.

Same batches, same estimator, the training loss of every batch and an evaluation every so many steps through
scikit-learn's own calls. Beside it the two matrix products (scores and gradient) of such a step alone, which is what BLAS
would allow a mini-batch method; scikit-learn's SGD goes row by row, so it cannot come near at large batches.
"""

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.linear_model import SGDClassifier, SGDRegressor
from threadpoolctl import threadpool_limits

from benchmarks import data
from benchmarks.rows import Goal, Row
from benchmarks.scale import Scale
from benchmarks.statistics import interleaved, median
from tuningsweep_api.spec.trainable import BuiltinTrainable, Task
from tuningsweep_trainer.datasets.store import PreparedData
from tuningsweep_trainer.workloads.builtin import batch_rows, train

DIRECT, BOUND = "direct partial_fit loop", "two matrix products"
LOSSES = {
    ("linearSVM", Task.CLASSIFICATION): "hinge",
    ("perceptron", Task.CLASSIFICATION): "perceptron",
    ("logisticRegression", Task.CLASSIFICATION): "log_loss",
    ("linearRegression", Task.REGRESSION): "squared_error",
    ("linearSVM", Task.REGRESSION): "epsilon_insensitive",
}
NOTE = (
    "one thread; the direct loop computes the loss of every batch and evaluates as often, with scikit-learn's"
    " decision_function; the two products are the bound of BLAS for the scores and gradient of a batch"
)


@dataclass(frozen=True, slots=True)
class Case:
    """A workload, its batch size and how many steps of it take about a second."""

    model: str
    task: Task
    batch: int
    steps: int
    shuffle: bool = False


CASES = (
    Case("linearSVM", Task.CLASSIFICATION, 30, 400),
    Case("linearSVM", Task.CLASSIFICATION, 300, 200),
    Case("linearSVM", Task.CLASSIFICATION, 3000, 20),
    Case("linearSVM", Task.CLASSIFICATION, 30000, 3),
    Case("linearSVM", Task.CLASSIFICATION, 3000, 20, shuffle=True),
    Case("perceptron", Task.CLASSIFICATION, 300, 200),
    Case("logisticRegression", Task.CLASSIFICATION, 300, 100),
    Case("linearRegression", Task.REGRESSION, 300, 2000),
    Case("linearSVM", Task.REGRESSION, 300, 2000),
)


def measure(scale: Scale) -> list[Row]:
    """A row for each case."""
    sources = {Task.CLASSIFICATION: data.mnist(scale), Task.REGRESSION: data.wave_energy(scale)}
    arrays = {task: source.mapped(task, scale.scratch / task.value) for task, source in sources.items()}
    with threadpool_limits(1):
        return [_measure(case, arrays[case.task], sources[case.task].dataset, scale) for case in CASES]


def _measure(case: Case, arrays: PreparedData, dataset: dict[str, Any], scale: Scale) -> Row:
    batch = min(case.batch, len(arrays.training_target))
    steps = scale.pick(case.steps, 2)
    spec = BuiltinTrainable.model_validate(
        {
            "model": case.model,
            "task": case.task,
            "dataset": dataset,
            "steps": steps,
            "evaluateEverySteps": steps,
            "shuffle": case.shuffle,
        }
    )
    systems = {
        "ours": lambda: _rate(steps, lambda: _builtin(spec, batch, arrays)),
        DIRECT: lambda: _rate(steps, lambda: _direct(spec, batch, arrays)),
        BOUND: lambda: _rate(steps, lambda: _products(spec, batch, arrays)),
    }
    measured = {name: median(rates) for name, rates in interleaved(scale.pick(5, 1), systems).items()}
    name = f"{case.model} {case.task.value}, batch {batch}{', shuffled' if case.shuffle else ''}"
    ours = measured.pop("ours")
    return Row(f"{name}: steps/s", "steps/s", ours, measured, (Goal(">=", 1, DIRECT),), NOTE)


def _rate(steps: int, run: Callable[[], None]) -> float:
    started = time.perf_counter()
    run()
    return steps / (time.perf_counter() - started)


def _builtin(spec: BuiltinTrainable, batch: int, arrays: PreparedData) -> None:
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):  # noqa: PTH123 - a device
        train({"batch_size": batch, "learning_rate": 0.001}, None, spec=spec, arrays=arrays)


def _direct(spec: BuiltinTrainable, batch: int, arrays: PreparedData) -> None:
    """The loop that a user of scikit-learn writes."""
    classes = np.arange(len(arrays.classes))
    kind = SGDClassifier if spec.task is Task.CLASSIFICATION else SGDRegressor
    loss = LOSSES[spec.model.value, spec.task]
    model = kind(loss=loss, learning_rate="constant", eta0=0.001, random_state=spec.seed)
    fit = {"classes": classes} if spec.task is Task.CLASSIFICATION else {}
    for done in range(spec.steps):
        features, target = _batch(spec, batch, arrays, done)
        model.partial_fit(features, target, **fit)
        _loss(loss, _scores(model, features), target)
    scores = _scores(model, arrays.validation_features)
    _loss(loss, scores, arrays.validation_target)
    if spec.task is Task.CLASSIFICATION:
        answers = scores.argmax(axis=1) if scores.ndim > 1 else scores > 0
        float((answers == arrays.validation_target).mean())


def _batch(spec: BuiltinTrainable, batch: int, arrays: PreparedData, done: int) -> tuple[Any, Any]:
    rows: Any = batch_rows(done, batch, len(arrays.training_target))
    if spec.shuffle:
        rows = np.random.default_rng([spec.seed, done]).choice(len(arrays.training_target), batch, replace=False)
    return arrays.training_features[rows], arrays.training_target[rows]


def _scores(model: Any, features: Any) -> Any:
    return model.decision_function(features) if hasattr(model, "decision_function") else model.predict(features)


def _loss(name: str, scores: Any, target: Any) -> float:
    """Mean loss as NumPy computes it, one-vs-rest for more than two classes."""
    if name == "squared_error":
        return float(0.5 * np.mean((target - scores) ** 2))
    if name == "epsilon_insensitive":
        return float(np.maximum(0.0, np.abs(target - scores) - 0.1).mean())
    hits = target[:, None] == np.arange(scores.shape[1]) if scores.ndim > 1 else target == 1
    margins = np.where(hits, 1.0, -1.0) * scores
    if name == "log_loss":
        return float(np.logaddexp(0.0, -margins).mean())
    return float(np.maximum(0.0, (1.0 if name == "hinge" else 0.0) - margins).mean())


def _products(spec: BuiltinTrainable, batch: int, arrays: PreparedData) -> None:
    """Scores of a batch and the gradient's product, nothing else."""
    columns = max(1, len(arrays.classes))
    weights = np.zeros((arrays.training_features.shape[1], columns))
    for done in range(spec.steps):
        features, _ = _batch(spec, batch, arrays, done)
        scores = features @ weights
        features.T @ scores
