"""What trials need of one thing (memory or mean step time), by a Gaussian process over their hyperparameters.

Used by the forecaster. In logarithms, with a length scale for each hyperparameter (automatic relevance determination:
Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, section 5.1), so that it learns which of them matter.
A trial that was stopped over a limit says only that it needs more than was seen: it is a censored observation, and
predictions are conditioned on the true value lying above (Tobit; sampled by Gibbs steps over truncated normals).
Deterministic.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from tuningsweep_trainer.driver.features import Vector

LEAST_OBSERVATIONS: Final = 4
"""Trials that must have ended before anything is predicted."""
MOST_OBSERVATIONS: Final = 150
"""Trials that a model is fitted to; the newest count. Fitting takes cubic time."""
MOST_CENSORED: Final = 8
"""Stopped trials, the most similar ones, that a prediction is conditioned on."""
REFIT_GROWTH: Final = 1.25
"""Length scales are learnt anew when there are so many times more observations than at the last fit."""
NAMED: Final = 5
"""Trials named as what a prediction rests on."""
LENGTH_SCALES: Final = (0.05, 5.0)
"""Bounds, in units of a hyperparameter's range. The upper one keeps a doubt about hyperparameters that never mattered."""
QUANTILES: Final = (0.025, 0.5, 0.975)
GIBBS_BURN_IN: Final = 50
GIBBS_DRAWS: Final = 400


@dataclass(frozen=True, slots=True)
class Observation:
    """What one trial needed, or more than which it needed."""

    trial: str
    features: Vector
    value: float
    censored: bool


class Need:
    """What trials need of one thing (memory or mean step time), learnt from observations."""

    def __init__(self) -> None:
        self._observations: list[Observation] = []
        self._seen = 0
        self._fitted_at = 0
        self._kernel: Any = None
        self._model: _Model | None = None

    def observe(self, observation: Observation) -> None:
        """Take in a trial."""
        self._observations = [*self._observations, observation][-MOST_OBSERVATIONS:]
        self._seen += 1
        self._model = None

    @property
    def _knows_too_little(self) -> bool:
        return len(self._observations) < LEAST_OBSERVATIONS or all(o.censored for o in self._observations)

    def predict(self, features: Vector) -> tuple[list[float], list[str]] | None:
        """QUANTILES of what a configuration needs, and the trials that count most; None while too little is known."""
        if self._knows_too_little:
            return None
        if self._model is None:
            self._model = self._made()
        return self._model.predict(features)

    def length_scales(self) -> Vector | None:
        """Of each feature, in units of its range; None while too little is known."""
        if self._knows_too_little:
            return None
        self._model = self._model or self._made()
        scales: Vector = np.atleast_1d(self._kernel.k1.k2.length_scale)
        return scales

    def _made(self) -> "_Model":
        model = _Model(self._observations)
        if self._kernel is None or self._seen >= REFIT_GROWTH * self._fitted_at:
            self._kernel, self._fitted_at = model.fitted_kernel(), self._seen
        model.kernel, model.noise = self._kernel.k1, float(self._kernel.k2.noise_level)
        return model


class _Model:
    """A Gaussian process over some observations; values are standardised logarithms."""

    def __init__(self, observations: list[Observation]) -> None:
        self.observations = observations
        logs = np.log([observation.value for observation in observations])
        self.points = np.array([observation.features for observation in observations])
        self.mean, self.scale = float(logs.mean()), max(float(logs.std()), 0.05)
        self.values: Vector = (logs - self.mean) / self.scale
        self.kernel: Any = None
        self.noise = 0.0

    def fitted_kernel(self) -> Any:
        """The kernel with the length scales and the noise that make the observations most likely."""
        from sklearn.gaussian_process import GaussianProcessRegressor, kernels

        kernel = kernels.ConstantKernel(1.0, (0.1, 100.0)) * kernels.RBF(
            np.ones(self.points.shape[1]), LENGTH_SCALES
        ) + kernels.WhiteKernel(0.01, (1e-4, 1.0))
        process = GaussianProcessRegressor(kernel, n_restarts_optimizer=1, random_state=0)
        with _quiet():
            process.fit(self.points, self.values)
        return process.kernel_

    def predict(self, features: Vector) -> tuple[list[float], list[str]]:
        points = self.points
        similar = self.kernel(features[None, :], points)[0]
        order = np.argsort(-similar, kind="stable")
        censored = [int(i) for i in order if self.observations[i].censored][:MOST_CENSORED]
        exact = [i for i, observation in enumerate(self.observations) if not observation.censored]
        mean, covariance = self._posterior(exact, np.vstack([points[censored], features[None, :]]))
        quantiles = _conditioned(mean, covariance, self.values[censored])
        names = [self.observations[i].trial for i in order[:NAMED]]
        return [float(math.exp(self.mean + self.scale * q)) for q in quantiles], names

    def _posterior(self, exact: list[int], wanted: Vector) -> tuple[Vector, Vector]:
        """Mean and covariance of new observations at the points `wanted` (n x features), given the exact ones."""
        known = self.points[exact]
        gram = self.kernel(known) + self.noise * np.eye(len(exact))
        across = self.kernel(wanted, known)
        weights = np.linalg.solve(gram, across.T).T
        covariance = self.kernel(wanted) - weights @ across.T + self.noise * np.eye(len(wanted))
        return weights @ self.values[exact], (covariance + covariance.T) / 2


def _conditioned(mean: Vector, covariance: Vector, floors: Vector) -> list[float]:
    """QUANTILES of the last of jointly normal values, given that each of the others lies above its floor."""
    from scipy.special import ndtri

    if len(floors) == 0:
        return [float(mean[-1] + math.sqrt(covariance[-1, -1]) * ndtri(q)) for q in QUANTILES]
    others, across = covariance[:-1, :-1], covariance[-1, :-1]
    weights = np.linalg.solve(others, across)
    spread = math.sqrt(max(float(covariance[-1, -1] - weights @ across), 1e-12))
    draws = _truncated(mean[:-1], others, floors)
    noise = np.random.default_rng(0).standard_normal(len(draws))
    last = mean[-1] + (draws - mean[:-1]) @ weights + spread * noise
    return [float(q) for q in np.quantile(last, QUANTILES)]


def _truncated(mean: Vector, covariance: Vector, floors: Vector) -> Vector:
    """Draws (GIBBS_DRAWS x n) of normal values that all lie above their floors, by Gibbs sampling."""
    from scipy.special import ndtr, ndtri

    precision = np.linalg.inv(covariance)
    spreads = 1.0 / np.sqrt(np.diag(precision))
    generator = np.random.default_rng(0)
    current = np.maximum(mean, floors + 0.1 * spreads)
    draws = np.empty((GIBBS_DRAWS, len(mean)))
    for turn in range(-GIBBS_BURN_IN, GIBBS_DRAWS):
        for i, spread in enumerate(spreads):
            rest = precision[i] @ (current - mean) - precision[i, i] * (current[i] - mean[i])
            centre = mean[i] - spread**2 * rest
            # By the upper tail, which stays exact where the floor is far above the centre.
            tail = ndtr((centre - floors[i]) / spread)
            drawn = centre - spread * ndtri(max(generator.uniform() * tail, 1e-300))
            current[i] = max(drawn, floors[i])
        if turn >= 0:
            draws[turn] = current
    return draws


def _quiet() -> Any:
    """Scikit-learn warns of length scales at their bounds, which is how a hyperparameter that does not matter looks."""
    import warnings

    caught = warnings.catch_warnings()
    warnings.simplefilter("ignore")
    return caught
