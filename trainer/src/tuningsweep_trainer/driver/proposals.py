"""Which parameters the trial at a position of the sweep gets: grid and random depend on the position alone, TPE learns.

Called by book.py. A restarted driver proposes the same again; what TPE had learnt is told to it again.
"""

from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
import optuna

from tuningsweep_api.outcomes import Outcome
from tuningsweep_api.spec.search import SearchAlgorithm
from tuningsweep_api.spec.search_space import Distribution, Parameter, ParameterType
from tuningsweep_api.spec.sweep import TuningSweepSpec
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.driver.search_space import (
    Parameters,
    bounds,
    choices,
    grid_configuration,
    grid_size,
    nearest,
    random_configuration,
    step_of,
)


class Proposer(Protocol):
    """Proposes parameters for trials."""

    def propose(self, index: int, trial: str) -> Parameters | None:
        """Parameters of the trial at position `index` (from 0); None when there are no more."""

    def ended(self, record: TrialRecord, objective: float | None) -> None:
        """A trial ended, under this driver or an earlier one, with its last objective if it reported one."""


class GridProposer:
    """Every combination, the first parameter varying slowest."""

    def __init__(self, parameters: Iterable[Parameter]) -> None:
        self._parameters = list(parameters)
        self._size = grid_size(self._parameters)

    def propose(self, index: int, trial: str) -> Parameters | None:  # noqa: ARG002 - a Proposer
        """The combination at a position."""
        return grid_configuration(self._parameters, index) if index < self._size else None

    def ended(self, record: TrialRecord, objective: float | None) -> None:
        """Nothing to learn."""


class RandomProposer:
    """Independent draws; each position has a random stream of its own, so that restarts change nothing."""

    def __init__(self, parameters: Iterable[Parameter], seed: int) -> None:
        self._parameters = list(parameters)
        self._seed = seed

    def propose(self, index: int, trial: str) -> Parameters | None:  # noqa: ARG002 - a Proposer
        """A draw for a position."""
        return random_configuration(self._parameters, self._seed, index)

    def ended(self, record: TrialRecord, objective: float | None) -> None:
        """Nothing to learn."""


class TpeProposer:
    """The tree-structured Parzen estimator of Optuna, through Tune's searcher.

    A trial over a limit is told as pruned without a value, which TPE takes for as bad as it gets, so that it learns to
    stay away; a failed or stopped trial says nothing about its parameters and is told as failed, which TPE passes over.
    """

    def __init__(self, spec: TuningSweepSpec, assigned: int) -> None:
        from ray.tune.search.optuna import OptunaSearch

        objective = spec.objective
        self._parameters = spec.parameters
        self._metric = objective.objective_metric_name
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        # A restarted driver draws on, rather than drawing once more what the first one drew.
        seed = int(np.random.SeedSequence([spec.search.seed, assigned]).generate_state(1)[0])
        self._search: Any = OptunaSearch(
            space={parameter.name: _distribution(parameter) for parameter in spec.parameters},
            metric=self._metric,
            mode=objective.type.value[:3],
            seed=seed,
        )
        self._asked: set[str] = set()

    def propose(self, index: int, trial: str) -> Parameters | None:  # noqa: ARG002 - a Proposer
        """What the estimator would try next."""
        self._asked.add(trial)
        suggested = self._search.suggest(trial)
        return {parameter.name: nearest(parameter, suggested[parameter.name]) for parameter in self._parameters}

    def ended(self, record: TrialRecord, objective: float | None) -> None:
        """Learn from a result."""
        usable = objective is not None and record.outcome in (Outcome.SUCCEEDED, Outcome.PRUNED)
        failed = not usable and record.outcome is not Outcome.LIMIT_EXCEEDED
        if record.trial in self._asked:
            result = {self._metric: objective} if usable else None
            self._search.on_trial_complete(record.trial, result, error=failed)
        else:
            value = objective if usable else None
            self._search.add_evaluated_point(dict(record.parameters), value, error=failed, pruned=not usable)


def _distribution(parameter: Parameter) -> optuna.distributions.BaseDistribution:
    """A parameter as Optuna sees it; steps on a logarithmic scale are put in by `nearest` afterwards."""
    listed = choices(parameter)
    if listed is not None:
        return optuna.distributions.CategoricalDistribution(listed)
    low, high = bounds(parameter)
    logarithmic = parameter.feasible_space.distribution is Distribution.LOG_UNIFORM
    step = step_of(parameter)
    if step is not None:
        high = low + step * ((high - low) // step)
    if parameter.parameter_type is ParameterType.INT:
        whole = 1 if logarithmic or step is None else int(step)
        return optuna.distributions.IntDistribution(int(low), int(high), log=logarithmic, step=whole)
    fraction = None if logarithmic or step is None else float(step)
    return optuna.distributions.FloatDistribution(float(low), float(high), log=logarithmic, step=fraction)


def make_proposer(spec: TuningSweepSpec, assigned: int) -> Proposer:
    """The proposer that `spec.search` names, for a sweep in which `assigned` trials have their parameters already."""
    if spec.search.algorithm_name is SearchAlgorithm.GRID:
        return GridProposer(spec.parameters)
    if spec.search.algorithm_name is SearchAlgorithm.RANDOM:
        return RandomProposer(spec.parameters, spec.search.seed)
    return TpeProposer(spec, assigned)
