"""Rules across the fields of a sweep's spec, each in CEL for the API server and in Python for everything offline."""

from typing import TYPE_CHECKING, Final

from tuningsweep_api.spec.rules import Rule
from tuningsweep_api.spec.search import SchedulerType, SearchAlgorithm
from tuningsweep_api.spec.search_space import ParameterType, cel_contains, contains
from tuningsweep_api.spec.trainable import BUILTIN_METRICS, BUILTIN_PARAMETERS, Task

if TYPE_CHECKING:
    from tuningsweep_api.spec.sweep import TuningSweepSpec

AUTO: Final = "Auto"
"""As parallelTrialCount: as many as fit into memory."""

POPULATION_BASED: Final = (SchedulerType.PBT, SchedulerType.PB2)
"""Schedulers that give running trials other configurations."""

ONE_OBJECTIVE: Final = (SearchAlgorithm.CMA_ES, SearchAlgorithm.HYPEROPT)
"""Search algorithms that can't optimise several metrics together."""


def _distinct_names(spec: "TuningSweepSpec") -> bool:
    names_used = [parameter.name for parameter in spec.parameters]
    return len(set(names_used)) == len(names_used)


def _grid_enumerable(spec: "TuningSweepSpec") -> bool:
    if spec.search.algorithm_name is not SearchAlgorithm.GRID:
        return True
    return all(
        p.feasible_space.choices is not None
        or p.feasible_space.step is not None
        or p.parameter_type is ParameterType.INT
        for p in spec.parameters
    )


def _builtin_metric_known(spec: "TuningSweepSpec") -> bool:
    builtin = spec.trainable.builtin
    if builtin is None:
        return True
    wanted = {spec.objective.objective_metric_name, *spec.objective.shown_metric_names}
    return wanted <= set(BUILTIN_METRICS[builtin.task])


def _builtin_parameters_known(spec: "TuningSweepSpec") -> bool:
    if spec.trainable.builtin is None:
        return True
    return {p.name for p in spec.parameters} | set(spec.trainable.arguments) <= set(BUILTIN_PARAMETERS)


def _points_whole(spec: "TuningSweepSpec") -> bool:
    wanted = {parameter.name for parameter in spec.parameters}
    return all(point.keys() == wanted for point in spec.search.points_to_evaluate)


def _points_feasible(spec: "TuningSweepSpec") -> bool:
    return all(
        contains(parameter, point[parameter.name])
        for point in spec.search.points_to_evaluate
        for parameter in spec.parameters
        if parameter.name in point
    )


def _cel_list(values: tuple[str, ...]) -> str:
    return "[" + ", ".join(f"'{value}'" for value in values) + "]"


_CLASSIFICATION, _REGRESSION = BUILTIN_METRICS[Task.CLASSIFICATION], BUILTIN_METRICS[Task.REGRESSION]
_BUILTIN = "has(self.trainable.builtin)"
_METRICS = (
    "([self.objective.objectiveMetricName] + self.objective.additionalMetricNames"
    " + self.objective.additionalObjectives.map(o, o.objectiveMetricName))"
)

SPEC_RULES: Final = (
    Rule(
        "self.parameters.all(p, self.parameters.exists_one(q, q.name == p.name))",
        "parameters must have different names",
        _distinct_names,
    ),
    Rule(
        "self.search.algorithmName != 'grid'"
        " || self.parameters.all(p, p.parameterType != 'double' || has(p.feasibleSpace.step))",
        "search.algorithmName grid needs feasibleSpace.step (or a discrete list) for every double parameter",
        _grid_enumerable,
    ),
    Rule(
        "self.search.pointsToEvaluate.all(p, p.size() == self.parameters.size() && self.parameters.all(q, q.name in p))",
        "search.pointsToEvaluate: every point needs a value of every parameter, and of nothing else",
        _points_whole,
    ),
    Rule(
        "self.search.pointsToEvaluate.all(p, self.parameters.all(q, !(q.name in p) || "
        + cel_contains("q", "p[q.name]")
        + "))",
        "search.pointsToEvaluate: a value must be in its parameter's feasibleSpace, one of list as it is written there, or a"
        " number from min to max (a whole one for an int)",
        _points_feasible,
    ),
    Rule(
        "!(self.scheduler.type in ['PBT', 'PB2']) || self.search.algorithmName == 'random'",
        "scheduler.type PBT or PB2 chooses configurations itself; use it with search.algorithmName random",
        lambda s: s.scheduler.type not in POPULATION_BASED or s.search.algorithm_name is SearchAlgorithm.RANDOM,
    ),
    Rule(
        "self.scheduler.type != 'PB2' || self.parameters.all(p, p.parameterType in ['int', 'double'])",
        "scheduler.type PB2 needs parameters of parameterType int or double only; use PBT with lists",
        lambda s: (
            s.scheduler.type is not SchedulerType.PB2
            or all(p.parameter_type in (ParameterType.INT, ParameterType.DOUBLE) for p in s.parameters)
        ),
    ),
    Rule(
        "self.objective.additionalObjectives.size() == 0 || self.scheduler.type == 'None'",
        "scheduler.type must be None with objective.additionalObjectives: schedulers compare trials by one metric;"
        " leave the scheduler out, or list what you only want to see in objective.additionalMetricNames",
        lambda s: not s.objective.additional_objectives or s.scheduler.type is SchedulerType.NONE,
    ),
    Rule(
        "self.objective.additionalObjectives.size() == 0"
        f" || !(self.search.algorithmName in {_cel_list(ONE_OBJECTIVE)})",
        f"search.algorithmName {' and '.join(ONE_OBJECTIVE)} optimise one metric; with objective.additionalObjectives"
        " write tpe, multivariate-tpe, sobol, random or grid",
        lambda s: not s.objective.additional_objectives or s.search.algorithm_name not in ONE_OBJECTIVE,
    ),
    Rule(
        f"!{_BUILTIN} || (self.trainable.builtin.task == 'classification'"
        f" ? {_METRICS}.all(m, m in {_cel_list(_CLASSIFICATION)}) : {_METRICS}.all(m, m in {_cel_list(_REGRESSION)}))",
        "objective names a metric that the built-in workload does not report; classification has "
        f"{', '.join(_CLASSIFICATION)}; regression has rmse instead of accuracy",
        _builtin_metric_known,
    ),
    Rule(
        f"!{_BUILTIN} || (self.parameters.all(p, p.name in {_cel_list(BUILTIN_PARAMETERS)})"
        f" && self.trainable.arguments.all(a, a in {_cel_list(BUILTIN_PARAMETERS)}))",
        f"parameters and trainable.arguments of a built-in workload may be {', '.join(BUILTIN_PARAMETERS)}",
        _builtin_parameters_known,
    ),
    Rule(
        "!has(self.storage.ephemeral) || self.cluster.workers.maxReplicas == 0",
        "storage.ephemeral needs cluster.workers.minReplicas and maxReplicas 0 (trials on the head pod):"
        " pods share no ephemeral volume; use volumeClaim, existingClaim or uri with workers",
        lambda s: s.storage.ephemeral is None or s.cluster.workers.max_replicas == 0,
    ),
    Rule(
        "type(self.parallelTrialCount) == string || self.parallelTrialCount <= self.maxTrialCount",
        "parallelTrialCount must not be above maxTrialCount",
        lambda s: s.parallel_trial_count == AUTO or s.parallel_trial_count <= s.max_trial_count,
    ),
    Rule(
        "type(self.parallelTrialCount) != string || self.cluster.workers.minReplicas == self.cluster.workers.maxReplicas",
        "parallelTrialCount Auto fills the pods there are, so the autoscaler would never see a trial wait;"
        " write the same number for cluster.workers.minReplicas and maxReplicas",
        lambda s: s.parallel_trial_count != AUTO or s.cluster.workers.min_replicas == s.cluster.workers.max_replicas,
    ),
)
