"""Where a hyperparameter makes steps dearer and the objective gains no more per second: the relative-efficiency case.

Pure, over trials that have ended. Used by the report's headline and by the summary of `tuningsweep run`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Final

from tuningsweep_api.optimal import TRAINED
from tuningsweep_api.spec.objective import ObjectiveType
from tuningsweep_api.spec.sweep import TuningSweepSpec
from tuningsweep_api.trials import ParameterValue, TrialRecord
from tuningsweep_trainer.driver.forecast import Forecaster
from tuningsweep_trainer.report import words

LEAST_TRIALS: Final = 6
MOST_GROUPS: Final = 4
"""A range is looked at in so many parts with about as many trials in each."""
DEARER: Final = 1.5
"""Factor between the step times of two groups from which they count as different."""


@dataclass(frozen=True, slots=True)
class Inefficiency:
    """Two groups of trials by one hyperparameter; each pair is (cheaper steps, dearer steps)."""

    parameter: str
    values: tuple[ParameterValue, ParameterValue]
    step_times: tuple[float, float]
    """Median of the mean step times, seconds."""
    gains: tuple[float, float]
    """Median of the objective gained per second over the worst trial."""

    def sentence(self) -> str:
        """For people."""
        cheap, dear = self.step_times
        return (
            f"{self.parameter} {self.values[1]}: a step takes {words.seconds(dear)} instead of {words.seconds(cheap)} at"
            f" {self.values[0]}, and the objective gains no more per second"
            f" ({self.gains[1]:.3g} instead of {self.gains[0]:.3g})"
        )


@dataclass(frozen=True, slots=True)
class _Trial:
    value: float
    step_time: float
    gain: float


def inefficiencies(spec: TuningSweepSpec, records: Sequence[TrialRecord]) -> list[Inefficiency]:
    """At most one for each numeric hyperparameter that drives step time, by the model that forecasts rest on."""
    name = spec.objective.objective_metric_name
    used = [
        record
        for record in records
        if record.outcome in TRAINED
        and record.duration_seconds > 0
        and {name, "mean_step_time_seconds"} <= set(record.metrics)
    ]
    if len(used) < LEAST_TRIALS:
        return []
    forecaster = Forecaster(spec.parameters)
    for record in used:
        forecaster.learn(record)
    objectives = [record.metrics[name] for record in used]
    worst = max(objectives) if spec.objective.type is ObjectiveType.MINIMIZE else min(objectives)
    found: list[Inefficiency] = []
    for parameter in forecaster.step_time_drivers():
        trials = [
            _Trial(
                float(value),
                record.metrics["mean_step_time_seconds"],
                abs(worst - record.metrics[name]) / record.duration_seconds,
            )
            for record in used
            if isinstance(value := record.parameters[parameter], int | float)
        ]
        first = _first(parameter, _groups(trials))
        found += [] if first is None else [first]
    return found


def _groups(trials: list[_Trial]) -> list[list[_Trial]]:
    """Trials by value where there are few values, else by parts of the range; those with the cheapest steps first."""
    ordered = sorted(trials, key=lambda trial: trial.value)
    values = sorted({trial.value for trial in trials})
    if len(values) <= 2 * MOST_GROUPS:
        groups = [[trial for trial in ordered if trial.value == value] for value in values]
    else:
        share = len(ordered) / MOST_GROUPS
        groups = [ordered[round(part * share) : round((part + 1) * share)] for part in range(MOST_GROUPS)]
    return sorted((group for group in groups if group), key=_step_time)


def _first(parameter: str, groups: list[list[_Trial]]) -> Inefficiency | None:
    """The first step up in step time after which no group gains more per second than the one before it."""
    for number, (cheap, dear) in enumerate(pairwise(groups)):
        if _step_time(dear) < DEARER * _step_time(cheap):
            continue
        if max(map(_gain, groups[number + 1 :])) <= _gain(cheap):
            values = _value(cheap), _value(dear)
            return Inefficiency(parameter, values, (_step_time(cheap), _step_time(dear)), (_gain(cheap), _gain(dear)))
    return None


def _step_time(group: list[_Trial]) -> float:
    return median(trial.step_time for trial in group)


def _gain(group: list[_Trial]) -> float:
    return median(trial.gain for trial in group)


def _value(group: list[_Trial]) -> ParameterValue:
    value = median(trial.value for trial in group)
    return int(value) if value == int(value) else float(f"{value:.3g}")
