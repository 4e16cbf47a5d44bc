"""The built-in workload: a linear model trained by mini-batch SGD, one step a `partial_fit`.

Called in the training process by `training.process`; reports through the same API as users' code. Regression trains on a
standardised target: losses are in that unit, `rmse` in the target's own. The loss of every single step goes to standard
output, which is the trial's log: a report a step would cost more than the step.
"""

import math
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
from sklearn.linear_model import SGDClassifier, SGDRegressor
from threadpoolctl import threadpool_limits

from tuningsweep import report, step
from tuningsweep_api.spec.trainable import BuiltinModel, BuiltinTrainable, Task
from tuningsweep_trainer.datasets.store import PreparedData
from tuningsweep_trainer.workloads import losses, series, state
from tuningsweep_trainer.workloads.hyperparameters import Hyperparameters, hyperparameters

_LOSS_NAMES: Final[dict[tuple[BuiltinModel, Task], str]] = {
    (BuiltinModel.LINEAR_REGRESSION, Task.REGRESSION): "squared_error",
    (BuiltinModel.LINEAR_SVM, Task.REGRESSION): "epsilon_insensitive",
    (BuiltinModel.PERCEPTRON, Task.CLASSIFICATION): "perceptron",
    (BuiltinModel.LOGISTIC_REGRESSION, Task.CLASSIFICATION): "log_loss",
    (BuiltinModel.LINEAR_SVM, Task.CLASSIFICATION): "hinge",
}


def train(parameters: dict[str, Any], checkpoint: Path | None, *, spec: BuiltinTrainable, arrays: PreparedData) -> None:
    """Train for `spec.steps` steps in all, going on from `checkpoint` if there is one; metrics go out by `report`.

    A model that diverges beyond float64 reports losses of losses.BOUND (and accuracy 0) once and ends there: it is the
    worst trial, not a broken one.
    """
    with threadpool_limits(1):
        _Run(hyperparameters(parameters), spec, arrays).go(checkpoint)


class _Run:
    """One trial's model, and the training loss since the last evaluation."""

    def __init__(self, chosen: Hyperparameters, spec: BuiltinTrainable, arrays: PreparedData) -> None:
        self._spec = spec
        self._arrays = arrays
        self._batch = min(chosen.batch_size, len(arrays.training_target))
        self._loss = losses.loss_of(_LOSS_NAMES[spec.model, spec.task], chosen.epsilon)
        self._classifies = spec.task is Task.CLASSIFICATION
        self._estimator = new_estimator(chosen, spec)
        self._fit_arguments = {"classes": np.arange(len(arrays.classes))} if self._classifies else {}
        self._sum, self._count = 0.0, 0
        self._series = series.LossSeries()

    def go(self, checkpoint: Path | None) -> None:
        done = 0
        if checkpoint is not None:
            done = state.restore(checkpoint, self._estimator, self._arrays.training_features.shape[1])
        while done < self._spec.steps:
            features, target = self._batch_of(done)
            if not self._step(features, target):
                self._series.flush()
                report(self._diverged())
                return
            done += 1
            self._note_training_loss(done, features, target)
            del features, target  # before the next batch is drawn, or a trial would hold two
            if done % self._spec.evaluate_every_steps == 0 or done == self._spec.steps:
                self._evaluate(done)

    def _batch_of(self, done: int) -> tuple[losses.Array, losses.Array]:
        """Features and target of the next step: a view of the mapped rows, or a copy of rows drawn at random."""
        count = len(self._arrays.training_target)
        rows: slice | np.ndarray[Any, Any] = batch_rows(done, self._batch, count)
        if self._spec.shuffle:
            # A stream for each step, so that a resumed trial draws what an uninterrupted one would.
            rows = np.random.default_rng([self._spec.seed, done]).choice(count, self._batch, replace=False)
        return self._arrays.training_features[rows], self._arrays.training_target[rows]

    def _step(self, features: losses.Array, target: losses.Array) -> bool:
        """One optimiser update; False if the weights left the range of float64."""
        try:
            with step():
                self._estimator.partial_fit(features, target, **self._fit_arguments)
        except ValueError as error:
            if "overflow" not in str(error):
                raise
            return False
        return True

    def _note_training_loss(self, done: int, features: losses.Array, target: losses.Array) -> None:
        total, _ = self._sums(features, target)
        self._series.add(done, losses.finite(total / self._batch))
        self._sum += total
        self._count += self._batch

    def _sums(self, features: losses.Array, target: losses.Array) -> tuple[float, float]:
        """Loss summed over rows; right answers (classification) or squared errors (regression) likewise."""
        weights = np.atleast_2d(self._estimator.coef_)
        sums = losses.classification_sums if self._classifies else losses.regression_sums
        total, second = 0.0, 0.0
        with np.errstate(over="ignore", invalid="ignore"):
            for part, scores in losses.scored_blocks(features, target, weights, self._estimator.intercept_):
                loss, other = sums(part, scores, self._loss)
                total, second = total + loss, second + other
        return total, second

    def _evaluate(self, done: int) -> None:
        rows = len(self._arrays.validation_target)
        total, second = self._sums(self._arrays.validation_features, self._arrays.validation_target)
        metrics = {
            "training_loss": losses.finite(self._sum / self._count),
            "validation_loss": losses.finite(total / rows),
            **self._quality(second / rows),
        }
        self._sum, self._count = 0.0, 0
        self._series.flush()
        with tempfile.TemporaryDirectory(prefix="tuningsweep-checkpoint-") as folder:
            state.save(Path(folder), self._estimator, done)
            report(metrics, checkpoint=folder)

    def _quality(self, mean: float) -> dict[str, float]:
        if self._classifies:
            return {"accuracy": mean}
        return {"rmse": losses.finite(math.sqrt(mean) * self._arrays.target_scale)}

    def _diverged(self) -> dict[str, float]:
        worst = {"training_loss": losses.BOUND, "validation_loss": losses.BOUND}
        return {**worst, **({"accuracy": 0.0} if self._classifies else {"rmse": losses.BOUND})}


def batch_rows(done: int, batch: int, rows: int) -> slice:
    """Rows of the next step: consecutive full batches; the last of an epoch reaches back so that none is left out."""
    start = done % math.ceil(rows / batch) * batch
    start = min(start, rows - batch)
    return slice(start, start + batch)


def new_estimator(chosen: Hyperparameters, spec: BuiltinTrainable) -> state.Estimator:
    """The untrained model of a trial."""
    kind = SGDClassifier if spec.task is Task.CLASSIFICATION else SGDRegressor
    return kind(
        loss=_LOSS_NAMES[spec.model, spec.task],
        penalty=chosen.penalty,
        alpha=chosen.alpha,
        l1_ratio=chosen.l1_ratio,
        epsilon=chosen.epsilon,
        learning_rate="constant",
        eta0=chosen.learning_rate,
        random_state=spec.seed,
    )
