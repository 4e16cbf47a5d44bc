"""Predicts what a trial will need from what earlier ones needed, so that one bound to exceed a limit need not start.

Used by the book before a trial starts, and by the report. How memory and mean step time are modelled is in `need.py`.
"""

from collections.abc import Sequence
from typing import Final

from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_api.spec.limits import Limits
from tuningsweep_api.spec.search_space import Parameter
from tuningsweep_api.trials import Forecast, TrialRecord
from tuningsweep_trainer.driver.features import Features
from tuningsweep_trainer.driver.need import LENGTH_SCALES, Need, Observation
from tuningsweep_trainer.driver.search_space import Parameters

DRIVES_BELOW: Final = 0.9 * LENGTH_SCALES[1]
"""Length scale up to which a hyperparameter counts as one that matters."""


class Forecaster:
    """Learns from ended trials, predicts for pending ones."""

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self._features = Features(parameters)
        self._memory, self._step_time = Need(), Need()

    def learn(self, record: TrialRecord) -> None:
        """Take in a trial that has ended."""
        ran_out = record.reason is Reason.OOM_KILLED
        if record.outcome is Outcome.SKIPPED or (record.outcome is Outcome.FAILED and not ran_out):
            return
        if record.steps == 0 and record.observed is None and not ran_out:
            return
        features = self._features.of(record.parameters)
        if record.peak_memory > 0:
            over = record.reason is Reason.MEMORY_LIMIT_EXCEEDED or ran_out
            short = record.outcome is Outcome.STOPPED
            if over or not short:
                self._memory.observe(Observation(record.trial, features, float(record.peak_memory), over))
        step_time = _step_time(record)
        if step_time is not None:
            self._step_time.observe(Observation(record.trial, features, step_time, censored=False))

    def forecast(self, parameters: Parameters, limits: Limits) -> Forecast | None:
        """The prediction by which a trial is bound to exceed a limit, or None."""
        needs = (
            (Reason.MEMORY_LIMIT_EXCEEDED, self._memory, limits.memory_bytes),
            (Reason.MEAN_STEP_TIME_LIMIT_EXCEEDED, self._step_time, limits.mean_step_seconds),
        )
        for reason, need, limit in needs:
            predicted = None if limit is None else need.predict(self._features.of(parameters))
            if limit is None or predicted is None:
                continue
            (lower, median, upper), based_on = predicted
            if lower > limit:
                return Forecast(
                    reason=reason, predicted=median, lower=lower, upper=upper, limit=limit, based_on=based_on
                )
        return None

    def most_memory(self, parameters: Parameters) -> int | None:
        """The most memory that a trial would hold without a limit, bytes: the prediction's upper bound, if there is one."""
        predicted = self._memory.predict(self._features.of(parameters))
        return None if predicted is None else int(predicted[0][-1])

    def step_time_drivers(self) -> list[str]:
        """Numeric hyperparameters that mean step time depends on, as far as was learnt."""
        scales = self._step_time.length_scales()
        return [] if scales is None else self._features.numeric_below(scales, DRIVES_BELOW)


def _step_time(record: TrialRecord) -> float | None:
    """Mean step time of a trial, seconds."""
    if record.reason is Reason.MEAN_STEP_TIME_LIMIT_EXCEEDED:
        return record.observed
    return record.metrics.get("mean_step_time_seconds")
