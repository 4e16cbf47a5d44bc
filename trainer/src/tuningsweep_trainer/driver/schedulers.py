"""`spec.scheduler` as a Tune scheduler; the unit of time is the trial's step.

HyperBand and PBT pause trials to let others run. Tune would start paused trials again whenever Ray has resources; here no
more run than parallelTrialCount says, so `Bounded` holds them back. All of them give a free actor to a trial that has
none (`LetsActorsStart`).
"""

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

from ray.tune import schedulers

from tuningsweep_api.spec.search import Scheduler, SchedulerType
from tuningsweep_api.spec.search_space import Parameter
from tuningsweep_api.spec.sweep import TuningSweepSpec
from tuningsweep_trainer.driver.search_space import bounds, choices, nearest, random_configuration
from tuningsweep_trainer.driver.trial_failures import TellsTrials

TIME_ATTRIBUTE = "step"
PAUSING = (SchedulerType.HYPERBAND, SchedulerType.BOHB, SchedulerType.PBT, SchedulerType.PB2)
"""Schedulers that pause trials."""
NEVER: Any = math.inf
"""As a time slice, longer than any; Tune's annotation wants an int, which infinity is not."""

Allowed = Callable[[], int]
"""Trials that may run now."""


class LetsActorsStart(TellsTrials):
    """Mixed into every scheduler: a free actor goes to a trial that has none, not to one whose own actor is starting.

    Given to that one, it would make Tune end the actor that starts, and start another for the next trial. Where trials are
    shorter than the start of a Ray worker, that would go on to the sweep's end: one trial at a time, and a start for each.
    """

    def choose_trial_to_run(self, tune_controller: Any, *more: Any, **options: Any) -> Any:
        """The scheduler's choice, or the first trial without an actor instead of one that waits for its own."""
        chosen = super().choose_trial_to_run(tune_controller, *more, **options)  # type: ignore[misc]  # of the scheduler mixed with
        if chosen is None or chosen.status != chosen.PENDING or not _has_actor(tune_controller, chosen):
            return chosen
        return _without_actor(tune_controller)


class InOrder(TellsTrials):
    """Mixed into a scheduler that starts trials in the order of their making; see LetsActorsStart.

    Ray's own look for that at every trial there ever was, whenever anything happens.
    """

    def choose_trial_to_run(self, tune_controller: Any) -> Any:
        """The first trial that waits to start and has no actor; None if there is none."""
        return _without_actor(tune_controller)


def _without_actor(tune_controller: Any) -> Any:
    pending = (trial for trial in tune_controller.get_live_trials() if trial.status == trial.PENDING)
    free = (trial for trial in pending if not _has_actor(tune_controller, trial))
    return min(free, key=lambda trial: (len(trial.trial_id), trial.trial_id), default=None)


def _has_actor(tune_controller: Any, trial: Any) -> bool:
    """Whether an actor of the trial's own runs, or is starting; Ray 2.60 tells schedulers in no other way."""
    return trial in tune_controller._trial_to_actor


class Fifo(InOrder, schedulers.FIFOScheduler):
    """No early stopping."""


class Asha(InOrder, schedulers.AsyncHyperBandScheduler):
    """Asynchronous successive halving."""


class MedianStopping(InOrder, schedulers.MedianStoppingRule):
    """Stops what is worse than the median."""


class Bounded(LetsActorsStart):
    """Mixed into a scheduler that pauses trials: a paused trial goes on only while fewer than `allowed()` are active."""

    allowed: Allowed
    _kept = 0

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its settings so that it could restore from them; the ledger is what we restore from."""
        return {}

    def choose_trial_to_run(self, tune_controller: Any, *more: Any, **options: Any) -> Any:
        """The scheduler's choice, or None while a paused trial has to wait."""
        self._keep_actors(tune_controller)
        chosen = super().choose_trial_to_run(tune_controller, *more, **options)
        if chosen is None or chosen.status != chosen.PAUSED:
            return chosen
        active = sum(trial.status in (trial.RUNNING, trial.PENDING) for trial in tune_controller.get_live_trials())
        return chosen if active < self.allowed() else None

    def _keep_actors(self, tune_controller: Any) -> None:
        """While trials are paused, keep the actors that they have left for when they go on.

        Where all are paused before any goes on, as BOHB has it at each rung, Ray 2.60 keeps one, and others would start anew.
        """
        # Ray counts those as live, too, that it has given up; what has ended says nothing of resources any more.
        live = [trial for trial in tune_controller.get_live_trials() if not trial.is_finished()]
        wanted = self.allowed() if any(trial.status == trial.PAUSED for trial in live) else 0
        if live and wanted != self._kept:
            resources = live[0].placement_group_factory  # the same for every trial of a sweep
            tune_controller._actor_cache.increase_max(resources, wanted - self._kept)
            self._kept = wanted


class EndsBrackets:
    """Mixed into HyperBand and its kin: no bracket leaves a paused trial behind that nothing would wake or end any more."""

    _trial_info: dict[Any, Any]
    _metric: Any

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> Any:
        """A report without the objective decides nothing; Ray 2.60 would end the run with a KeyError.

        There is none in reports of before the first step where step times are the objective.
        """
        if self._metric not in result:
            return schedulers.TrialScheduler.CONTINUE
        return super().on_trial_result(tune_controller, trial, result)  # type: ignore[misc]  # of the scheduler mixed with

    def on_trial_remove(self, tune_controller: Any, trial: Any) -> None:
        """A trial ended by itself, at a limit say.

        If that completes its bracket, Ray 2.60 leaves the bracket's paused trials paused for ever, and the sweep with
        them: they have nothing left to wait for and are stopped here.
        """
        super().on_trial_remove(tune_controller, trial)  # type: ignore[misc]  # of the scheduler mixed with
        bracket, _ = self._trial_info[trial]
        if bracket.finished() and not bracket.is_being_processed:
            self._process_bracket(tune_controller, bracket)

    def _process_bracket(self, tune_controller: Any, bracket: Any) -> Any:
        """Ray's, marked as under way while it is: stopping a trial removes it too, and comes back to the above.

        Ray 2.60 sets the mark at the first halving and never takes it back, so that no trial's own end would count later.
        """
        bracket.is_being_processed = True
        try:
            action = self._halve(tune_controller, bracket)
            if bracket.finished():
                self._stop_pausing(tune_controller, bracket)
            return action
        finally:
            bracket.is_being_processed = False

    def _halve(self, tune_controller: Any, bracket: Any) -> Any:
        """Ray's processing, as often as it takes: where reports are sparser than rungs, survivors have done the next ones.

        Ray 2.60 neither wakes nor ends those: they would have to report for that, and are paused.
        """
        action = super()._process_bracket(tune_controller, bracket)  # type: ignore[misc]  # of the scheduler mixed with
        while bracket.current_trials() and bracket.cur_iter_done() and not bracket.finished():
            again = super()._process_bracket(tune_controller, bracket)  # type: ignore[misc]
            action = again if action == schedulers.TrialScheduler.PAUSE else action
        return action

    def _stop_pausing(self, tune_controller: Any, bracket: Any) -> None:
        """Stop the trials of a finished bracket that are being paused: Ray 2.60 stops those alone that are paused already."""
        for trial in bracket.current_trials():
            if trial.is_saving:
                tune_controller.stop_trial(trial)


class BoundedHyperBand(EndsBrackets, Bounded, schedulers.HyperBandScheduler):
    """HyperBand within parallelTrialCount."""


class BoundedBohb(EndsBrackets, Bounded, schedulers.HyperBandForBOHB):
    """HyperBand as BOHB fills its brackets, within parallelTrialCount."""


class KeepsTrial:
    """Mixed into population based training: a trial that takes over another one's configuration stays who it is."""

    def _get_new_config(self, trial: Any, trial_to_clone: Any) -> Any:
        config, operations = super()._get_new_config(trial, trial_to_clone)  # type: ignore[misc]
        return {**config, "trial": trial.trial_id}, operations


class BoundedPopulationBasedTraining(KeepsTrial, Bounded, schedulers.PopulationBasedTraining):
    """Population based training within parallelTrialCount."""


def make_scheduler(spec: TuningSweepSpec, allowed: Allowed) -> Any:
    """The scheduler; metric and mode are given to it by Tune."""
    wanted = spec.scheduler
    if wanted.type is SchedulerType.ASHA:
        return Asha(
            time_attr=TIME_ATTRIBUTE,
            max_t=wanted.max_steps,
            grace_period=wanted.grace_period_steps,
            reduction_factor=wanted.reduction_factor,
        )
    if wanted.type is SchedulerType.MEDIAN_STOPPING:
        # Its way of pausing trials until there are enough to compare would restart those that have no checkpoint.
        return MedianStopping(time_attr=TIME_ATTRIBUTE, grace_period=wanted.grace_period_steps, min_time_slice=NEVER)
    pausing = _pausing_scheduler(wanted, spec.parameters, spec.search.seed)
    if pausing is None:
        return Fifo()
    pausing.allowed = allowed
    return pausing


def _pausing_scheduler(wanted: Scheduler, parameters: Sequence[Parameter], seed: int) -> Any:
    if wanted.type in (SchedulerType.HYPERBAND, SchedulerType.BOHB):
        bands = BoundedBohb if wanted.type is SchedulerType.BOHB else BoundedHyperBand
        return bands(time_attr=TIME_ATTRIBUTE, max_t=wanted.max_steps, reduction_factor=wanted.reduction_factor)
    common: dict[str, Any] = {
        "time_attr": TIME_ATTRIBUTE,
        "perturbation_interval": wanted.perturbation_interval_steps,
        "custom_explore_fn": lambda config: put_back(config, parameters),
        "require_attrs": False,  # a trial may end before its first report
        "log_config": False,
    }
    if wanted.type is SchedulerType.PBT:
        mutations: dict[str, Any] = {"parameters": {p.name: _mutation(p, seed) for p in parameters}}
        return BoundedPopulationBasedTraining(hyperparam_mutations=mutations, **common)
    if wanted.type is SchedulerType.PB2:
        from tuningsweep_trainer.driver.pb2 import BoundedPB2

        ranges: dict[str, Any] = {"parameters": {p.name: [float(bound) for bound in bounds(p)] for p in parameters}}
        return BoundedPB2(hyperparam_bounds=ranges, **common)
    return None


def _mutation(parameter: Parameter, seed: int) -> Any:
    """What PBT resamples a parameter from: a list's neighbours for lists, a fresh draw for ranges."""
    listed = choices(parameter)
    if listed is not None:
        return listed
    # A sequence of its own: with one for all, what explores one parameter explores the others at the same quantile.
    source = random.Random(f"{seed}/{parameter.name}")  # noqa: S311 - a search, not a secret
    return lambda: random_configuration([parameter], seed, source.getrandbits(31))[parameter.name]


def put_back(config: dict[str, Any], parameters: Sequence[Parameter]) -> dict[str, Any]:
    """A config that PBT has perturbed, with every parameter back within its bounds and on its steps."""
    perturbed = config["parameters"]
    return {**config, "parameters": {p.name: nearest(p, perturbed[p.name]) for p in parameters}}
