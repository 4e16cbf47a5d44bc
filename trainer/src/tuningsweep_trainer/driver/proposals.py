"""Which parameters the trial at a position of the sweep gets: grid and random depend on the position alone, TPE learns.

Called by search.py. A restarted driver proposes the same again; what TPE had learnt is told to it again.
"""

import itertools
import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Protocol

import numpy as np
from ray import tune

from tuningsweep_api.outcomes import Outcome
from tuningsweep_api.spec.search import SearchAlgorithm
from tuningsweep_api.spec.search_space import Distribution, Parameter, ParameterType
from tuningsweep_api.spec.sweep import TuningSweepSpec
from tuningsweep_api.trials import ParameterValue, TrialRecord
from tuningsweep_trainer.driver.values import plain_number

Parameters = dict[str, ParameterValue]


class Proposer(Protocol):
    """Proposes parameters for trials."""

    def propose(self, index: int, trial: str) -> Parameters | None:
        """Parameters of the trial at position `index` (from 0); None when there are no more."""

    def resumed(self, trial: str, parameters: Parameters) -> None:
        """A trial that was assigned by an earlier driver goes on."""

    def ended(self, record: TrialRecord, objective: float | None) -> None:
        """A trial ended, with its last objective if it reported one."""


def choices(parameter: Parameter) -> list[ParameterValue]:
    """Values of a discrete (numbers) or categorical (text) parameter."""
    listed = parameter.feasible_space.choices or []
    if parameter.parameter_type is ParameterType.CATEGORICAL:
        return list(listed)
    return [plain_number(Decimal(text)) for text in listed]


def grid_values(parameter: Parameter) -> list[ParameterValue]:
    """Every value of a parameter, for a grid: a list as it is, a range from min to max (included) by step."""
    space = parameter.feasible_space
    if space.choices is not None:
        return choices(parameter)
    assert space.min is not None
    assert space.max is not None
    low, high, step = Decimal(space.min), Decimal(space.max), Decimal(space.step or "1")
    count = int((high - low) / step) + 1
    return [plain_number(low + step * position) for position in range(count)]


def domain(parameter: Parameter) -> Any:
    """A parameter as a Tune search-space domain."""
    space = parameter.feasible_space
    if space.choices is not None:
        return tune.choice(choices(parameter))
    assert space.min is not None
    assert space.max is not None
    logarithmic = space.distribution is Distribution.LOG_UNIFORM
    if parameter.parameter_type is ParameterType.INT:
        low, above, step = int(Decimal(space.min)), int(Decimal(space.max)) + 1, int(Decimal(space.step or "1"))
        draw = tune.lograndint(low, above) if logarithmic else tune.randint(low, above)
        return draw if step == 1 else draw.quantized(step)
    bottom, top = float(space.min), float(space.max)
    drawn = tune.loguniform(bottom, top) if logarithmic else tune.uniform(bottom, math.nextafter(top, math.inf))
    return drawn if space.step is None else drawn.quantized(float(space.step))


class GridProposer:
    """Every combination, the first parameter varying slowest."""

    def __init__(self, parameters: Iterable[Parameter]) -> None:
        listed = list(parameters)
        self._names = [parameter.name for parameter in listed]
        self._values = [grid_values(parameter) for parameter in listed]

    def propose(self, index: int, trial: str) -> Parameters | None:  # noqa: ARG002 - a Proposer
        """The combination at a position."""
        combination = next(itertools.islice(itertools.product(*self._values), index, None), None)
        return None if combination is None else dict(zip(self._names, combination, strict=True))

    def resumed(self, trial: str, parameters: Parameters) -> None:
        """Nothing to learn."""

    def ended(self, record: TrialRecord, objective: float | None) -> None:
        """Nothing to learn."""


class RandomProposer:
    """Independent draws; each position has a random stream of its own, so that restarts change nothing."""

    def __init__(self, parameters: Iterable[Parameter], seed: int) -> None:
        self._domains = {parameter.name: domain(parameter) for parameter in parameters}
        self._seed = seed

    def propose(self, index: int, trial: str) -> Parameters | None:  # noqa: ARG002 - a Proposer
        """A draw for a position."""
        stream = np.random.default_rng([self._seed, index])
        return {name: _plain(space.sample(random_state=stream)) for name, space in self._domains.items()}

    def resumed(self, trial: str, parameters: Parameters) -> None:
        """Nothing to learn."""

    def ended(self, record: TrialRecord, objective: float | None) -> None:
        """Nothing to learn."""


class TpeProposer:
    """The tree-structured Parzen estimator of Optuna, through Tune's searcher."""

    def __init__(self, spec: TuningSweepSpec) -> None:
        from ray.tune.search.optuna import OptunaSearch

        objective = spec.objective
        self._metric = objective.objective_metric_name
        self._search = OptunaSearch(
            space={parameter.name: domain(parameter) for parameter in spec.parameters},
            metric=self._metric,
            mode=objective.type.value[:3],
            seed=spec.search.seed,
        )
        self._asked: set[str] = set()

    def propose(self, index: int, trial: str) -> Parameters | None:  # noqa: ARG002 - a Proposer
        """What the estimator would try next."""
        self._asked.add(trial)
        suggested: Mapping[str, Any] = self._search.suggest(trial) or {}
        return {name: _plain(value) for name, value in suggested.items()}

    def resumed(self, trial: str, parameters: Parameters) -> None:
        """It was asked by an earlier driver; its result is told with its parameters when it is there."""

    def ended(self, record: TrialRecord, objective: float | None) -> None:
        """Learn from a result; a trial without an objective counts as one that failed."""
        usable = objective is not None and record.outcome in (Outcome.SUCCEEDED, Outcome.PRUNED)
        if record.trial in self._asked:
            result = {self._metric: objective, "training_iteration": 1} if usable else None
            self._search.on_trial_complete(record.trial, result, error=not usable)
        elif usable and objective is not None:
            self._search.add_evaluated_point(dict(record.parameters), objective)


def _plain(value: Any) -> ParameterValue:
    """NumPy scalars as Python's own, whole numbers as drawn."""
    plain: ParameterValue = value.item() if isinstance(value, np.generic) else value
    return plain


def make_proposer(spec: TuningSweepSpec) -> Proposer:
    """The proposer that `spec.search` names."""
    if spec.search.algorithm_name is SearchAlgorithm.GRID:
        return GridProposer(spec.parameters)
    if spec.search.algorithm_name is SearchAlgorithm.RANDOM:
        return RandomProposer(spec.parameters, spec.search.seed)
    return TpeProposer(spec)
