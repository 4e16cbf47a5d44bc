"""Search algorithms that learn, through Tune's searchers: one line of SEARCHERS each. Used by proposals.py.

A restarted driver tells a new searcher what the trials on record came to. What a searcher proposes is put back into the
space by `nearest`, since not every searcher knows steps.
"""

import logging
import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from tuningsweep_api.optimal import TRAINED, objective_values
from tuningsweep_api.outcomes import Outcome
from tuningsweep_api.spec.objective import Objective, ObjectiveType
from tuningsweep_api.spec.search import SearchAlgorithm
from tuningsweep_api.spec.search_space import Distribution, Parameter, ParameterType
from tuningsweep_api.spec.sweep import TuningSweepSpec
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.driver.search_space import Parameters, bounds, choices, nearest, step_of

SEED_BITS: Final = 31
MOST_STEPS: Final = 10**6
"""From zero to a value: where a double is no more than 1e-9 of a step off, so that Optuna is sure to take it for a step."""
STUDY: Final = "sweep"
"""Name of Optuna's study; each has a storage of its own, in memory."""


def usable_values(objective: Objective, record: TrialRecord) -> list[float] | None:
    """A trial's value of every objective if a searcher may learn from them: it kept the limits and reported them all."""
    return objective_values(objective, record) if record.outcome in TRAINED else None


class OptunaProposer:
    """One of Optuna's samplers, for one objective or several.

    A trial over a limit is told as pruned without a value, which TPE takes for as bad as it gets, so that it learns to
    stay away; a failed, stopped or skipped trial says nothing about its parameters and is told as failed, which samplers
    pass over.
    """

    def __init__(
        self, spec: TuningSweepSpec, seed: int, points: Sequence[Parameters], make_sampler: Callable[[int], Any]
    ) -> None:
        import optuna
        from ray.tune.search.optuna import OptunaSearch

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._parameters, self._objective = spec.parameters, spec.objective
        self._space = {parameter.name: _optuna_distribution(parameter) for parameter in spec.parameters}
        storage = optuna.storages.InMemoryStorage()
        several = len(spec.objective.objectives) > 1
        metrics = [each.objective_metric_name for each in spec.objective.objectives]
        modes = [each.type.value[:3] for each in spec.objective.objectives]
        self._search: Any = OptunaSearch(
            space=self._space,
            metric=metrics if several else metrics[0],
            mode=modes if several else modes[0],
            sampler=make_sampler(seed),
            study_name=STUDY,
            storage=storage,
        )
        self._study = optuna.load_study(study_name=STUDY, storage=storage)
        for point in points:
            self._study.enqueue_trial(point)
        self._asked: set[str] = set()

    def propose(self, index: int, trial: str) -> Parameters | None:  # noqa: ARG002 - a Proposer
        """What the sampler would try next."""
        self._asked.add(trial)
        return put_back(self._parameters, self._search.suggest(trial))

    def ended(self, record: TrialRecord) -> None:
        """Learn from a result."""
        values = usable_values(self._objective, record)
        failed = values is None and record.outcome is not Outcome.LIMIT_EXCEEDED
        if record.trial in self._asked:
            self._search.on_trial_complete(record.trial, values and dict(record.metrics), error=failed)
        else:
            self._add(record, values, failed=failed)

    def _add(self, record: TrialRecord, values: list[float] | None, *, failed: bool) -> None:
        """A trial that an earlier driver asked for; Tune's `add_evaluated_point` knows one objective only."""
        from optuna.trial import TrialState, create_trial

        state = TrialState.FAIL if failed else TrialState.PRUNED if values is None else TrialState.COMPLETE
        parameters, space = dict(record.parameters), self._space
        self._study.add_trial(create_trial(state=state, values=values, params=parameters, distributions=space))


def _optuna_distribution(parameter: Parameter) -> Any:
    """A parameter as Optuna sees it; fine steps, and any on a logarithmic scale, are put in by `nearest` afterwards."""
    from optuna import distributions

    listed = choices(parameter)
    if listed is not None:
        return distributions.CategoricalDistribution(listed)
    low, high = bounds(parameter)
    logarithmic = parameter.feasible_space.distribution is Distribution.LOG_UNIFORM
    step = step_of(parameter)
    if step is not None:
        high = low + step * ((high - low) // step)
    # Optuna counts steps in doubles, and takes no value of a trial on record that seems to lie beside them.
    told = None if logarithmic or step is None or max(abs(low), abs(high)) > step * MOST_STEPS else step
    if parameter.parameter_type is ParameterType.INT:
        least, most = int(float(low)), int(float(high))
        return distributions.IntDistribution(least, most, log=logarithmic, step=int(told or 1))
    return distributions.FloatDistribution(
        float(low), float(high), log=logarithmic, step=None if told is None else float(told)
    )


class HyperOptProposer:
    """HyperOpt's TPE.

    HyperOpt knows neither pruned nor failed points, so a trial without a usable objective is told as an error and passed
    over, and one over a limit as the worst value seen.
    """

    def __init__(self, spec: TuningSweepSpec, seed: int, points: Sequence[Parameters]) -> None:
        from ray.tune.search.hyperopt import HyperOptSearch

        logging.getLogger("hyperopt").setLevel(logging.WARNING)
        self._spec = spec
        self._metric = spec.objective.objective_metric_name
        self._worst: float | None = None
        self._search: Any = HyperOptSearch(
            space={parameter.name: _hyperopt_distribution(parameter) for parameter in spec.parameters},
            metric=self._metric,
            mode=spec.objective.type.value[:3],
            points_to_evaluate=[dict(point) for point in points] or None,
            random_state_seed=seed,
        )
        self._asked: set[str] = set()

    def propose(self, index: int, trial: str) -> Parameters | None:  # noqa: ARG002 - a Proposer
        """What the estimator would try next."""
        self._asked.add(trial)
        return put_back(self._spec.parameters, self._search.suggest(trial))

    def ended(self, record: TrialRecord) -> None:
        """Learn from a result."""
        if record.trial not in self._asked:
            self._add(record)
        self._tell(record)

    def _add(self, record: TrialRecord) -> None:
        """A trial that an earlier driver asked for, as if it had been asked for here: Ray 2.60 passes over the others."""
        from hyperopt.fmin import generate_trial

        point = {parameter.name: record.parameters[parameter.name] for parameter in self._spec.parameters}
        self._search._convert_categories_to_indices(point)
        trials = self._search._hpopt_trials
        (number,) = trials.new_trial_ids(1)
        made = generate_trial(number, point)
        trials.insert_trial_doc(made)
        trials.refresh()
        self._search._live_trial_mapping[record.trial] = (number, made)

    def _tell(self, record: TrialRecord) -> None:
        values = usable_values(self._spec.objective, record)
        if values is not None:
            self._worst = values[0] if self._worst is None else self._worse(self._worst, values[0])
        value = values[0] if values else self._worst if record.outcome is Outcome.LIMIT_EXCEEDED else None
        result = None if value is None else {self._metric: value}
        self._search.on_trial_complete(record.trial, result, error=result is None)

    def _worse(self, value: float, other: float) -> float:
        return max(value, other) if self._spec.objective.type is ObjectiveType.MINIMIZE else min(value, other)


def _hyperopt_distribution(parameter: Parameter) -> Any:
    from hyperopt import hp

    listed = choices(parameter)
    if listed is not None:
        return hp.choice(parameter.name, listed)
    low, high = (float(bound) for bound in bounds(parameter))
    if low == high:  # HyperOpt draws from no range that has one value only
        return hp.choice(parameter.name, [nearest(parameter, low)])
    if parameter.feasible_space.distribution is Distribution.LOG_UNIFORM:
        return hp.loguniform(parameter.name, math.log(low), math.log(high))
    return hp.uniform(parameter.name, low, high)


def put_back(parameters: Sequence[Parameter], suggested: dict[str, Any]) -> Parameters:
    """A suggestion with every parameter within its bounds and on its steps."""
    return {parameter.name: nearest(parameter, suggested[parameter.name]) for parameter in parameters}


def _optuna(name: str, **options: Any) -> Callable[[TuningSweepSpec, int, Sequence[Parameters]], OptunaProposer]:
    def make_sampler(seed: int) -> Any:
        import optuna

        with warnings.catch_warnings():  # QMCSampler is called experimental, which no user of a sweep can act on
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return getattr(optuna.samplers, name)(seed=seed, **options)

    return lambda spec, seed, points: OptunaProposer(spec, seed, points, make_sampler)


SEARCHERS: Final[dict[SearchAlgorithm, Callable[[TuningSweepSpec, int, Sequence[Parameters]], Any]]] = {
    SearchAlgorithm.TPE: _optuna("TPESampler"),
    SearchAlgorithm.MULTIVARIATE_TPE: _optuna("TPESampler", multivariate=True),
    SearchAlgorithm.CMA_ES: _optuna("CmaEsSampler", warn_independent_sampling=False),
    SearchAlgorithm.SOBOL: _optuna("QMCSampler", qmc_type="sobol", warn_independent_sampling=False, scramble=True),
    SearchAlgorithm.HYPEROPT: HyperOptProposer,
}
"""Each makes a Proposer from the spec, a seed, and the points to try first."""


def make_searcher(spec: TuningSweepSpec, assigned: int, points: Sequence[Parameters] = ()) -> Any:
    """The searcher that `spec.search` names, which proposes `points` first.

    A restarted driver (`assigned` trials have their parameters already) draws on, rather than drawing once more what the
    first one drew.
    """
    seed = int(np.random.SeedSequence([spec.search.seed, assigned]).generate_state(1)[0]) & ((1 << SEED_BITS) - 1)
    return SEARCHERS[spec.search.algorithm_name](spec, seed, points)
