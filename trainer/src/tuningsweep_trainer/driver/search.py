"""Hands the book's trials to Tune: a SearchAlgorithm, so that every scheduler (PBT too) takes them.

Counts may be edited while the sweep runs, so whether the search is finished is asked anew each time.
"""

import copy
import time
from functools import cached_property
from typing import Any, Final

from ray.tune.experiment import _convert_to_experiment_list
from ray.tune.registry import get_trainable_cls
from ray.tune.search.search_algorithm import SearchAlgorithm
from ray.tune.stopper import Stopper

from tuningsweep_trainer.driver.book import Book
from tuningsweep_trainer.driver.search_space import Parameters
from tuningsweep_trainer.driver.trial_failures import RetriedTrial

PATIENCE_SECONDS = 15.0
"""How long running trials may take to end with the sweep: their supervisors need a moment, a lost node never answers."""


KEPT: Final = ("trial_id", "status", "custom_trial_name", "kind")
"""Attributes of its own that an ended trial keeps."""


class SweepTrial(RetriedTrial):
    """A Tune trial that stays small, for Tune holds every one that has ended, and costs the driver little.

    Left out is what nothing here asks for: states written over and over to restore from (35 KiB a trial with the next),
    statistics of each metric; and, looked up once instead of for each trial, the trainable and the resources it asks for.
    """

    kind: "TrialKind"

    @classmethod
    def of(cls, kind: "TrialKind", name: str, parameters: Parameters, expected_memory: int | None) -> "SweepTrial":
        """A trial of a kind; its supervisor asks the node for the expected memory (bytes)."""
        spec = kind.spec
        trial = cls(
            spec["run"],
            config={"trial": name, "parameters": copy.deepcopy(parameters), "expected_memory": expected_memory},
            evaluated_params=parameters,
            experiment_tag=name,
            trial_id=name,
            placement_group_factory=spec["resources_per_trial"],
            checkpoint_config=spec["checkpoint_config"],
            trial_name_creator=spec["trial_name_creator"],
            trial_dirname_creator=spec["trial_dirname_creator"],
            log_to_file=spec["log_to_file"],
            max_failures=spec["max_failures"],
            storage=spec["storage"],
            stub=True,  # a request to Ray less: the kind has asked whether there is such a trainable
        )
        trial.stub, trial.kind = False, kind
        return trial

    def get_trainable_cls(self) -> Any:
        """The supervisor's class."""
        return self.kind.trainable

    def create_placement_group_factory(self) -> None:
        """What its supervisor asks Ray for: the same for every trial."""
        if self.kind.resources is None:
            super().create_placement_group_factory()
            self.kind.resources = self.placement_group_factory
        self.placement_group_factory = self.kind.resources

    def set_ray_actor(self, ray_actor: Any) -> None:
        """Without a question to the actor for results of before the first, whose answer would be kept for ever."""
        self.temporary_state.ray_actor = ray_actor

    def update_last_result(self, result: dict[str, Any]) -> None:
        """Without statistics."""
        self.run_metadata.last_result, self.run_metadata.last_result_time = result, time.time()

    def get_json_state(self) -> tuple[str, str]:
        """Nothing: the ledger is what survives."""
        return "{}", "{}"

    def shrink(self) -> None:
        """Tune is done with it: what it holds makes way for what all ended trials share."""
        self.__dict__ = {name: vars(self)[name] for name in KEPT}

    def __getattr__(self, name: str) -> Any:
        """What it does not keep, once it has ended."""
        kind = self.__dict__.get("kind")
        if kind is None or self is kind.ended:
            raise AttributeError(name)
        return getattr(kind.ended, name)


class TrialKind:
    """What all trials of an experiment have in common."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.trainable = get_trainable_cls(spec["run"])
        self.resources: Any = None
        """Known once the first trial has asked for them."""

    @cached_property
    def ended(self) -> SweepTrial:
        """A trial that never ran, for what ended ones have in common."""
        return SweepTrial.of(self, "ended", {}, None)


class SweepSearch(SearchAlgorithm):
    """Gives Tune a trial whenever the book has one to start."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._kind: TrialKind | None = None
        self._given: list[SweepTrial] = []
        self.searcher = self
        """BOHB's scheduler tells it of pauses; the book finds them by itself."""

    def on_pause(self, trial_id: str) -> None:
        """See `searcher`."""

    def on_unpause(self, trial_id: str) -> None:
        """See `searcher`."""

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its settings so that it could restore from them; the ledger is what we restore from."""
        return {}

    @property
    def total_samples(self) -> int:
        """Most trials there can be now."""
        return self._book.desired.max_trial_count

    def add_configurations(self, experiments: Any) -> None:
        """Tune's experiment: where trials go and how they are named."""
        (experiment,) = _convert_to_experiment_list(experiments)
        self._kind = TrialKind(experiment.spec)

    def next_trial(self) -> Any:
        """A Tune trial for the next assignment, or None if none may start now."""
        # Here alone: between two of these, Tune marks a trial that it pauses as ended for a moment.
        self._given = [trial for trial in self._given if not trial.is_finished()]
        assigned = self._book.next_trial()
        if assigned is None:
            return None
        assert self._kind is not None, "Tune gives its experiment before it asks for trials"
        name, parameters = assigned
        trial = SweepTrial.of(self._kind, name, parameters, self._book.expected_memory(parameters))
        self._given.append(trial)
        return trial

    def is_finished(self) -> bool:
        """Whether nothing is left to start, nor to start again after a pause.

        Once it is, Tune ends the actor of every trial that pauses, and starts another when the trial goes on.
        """
        return self._book.nothing_left and all(trial.is_finished() for trial in self._given)

    def set_finished(self) -> None:
        """Tune ends the experiment because the stopper said so; the book knows why already."""

    def has_checkpoint(self, dirpath: str) -> bool:  # noqa: ARG002 - Tune's interface
        """Never: the ledger is what survives."""
        return False

    def save_to_dir(self, dirpath: str, **_: Any) -> None:
        """Nothing to save: the ledger is what survives."""


class SweepStopper(Stopper):
    """Ends Tune's loop once the sweep is over: paused trials, and those that wait for resources, would hold it up."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._over_since: float | None = None

    def __getstate__(self) -> dict[str, Any]:
        """See SweepSearch."""
        return {}

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:  # noqa: ARG002 - Tune's interface
        """Trials are ended by their supervisors."""
        return False

    def stop_all(self) -> bool:
        """Whether the sweep is over and its running trials have ended, or had the time to."""
        if not self._book.closed:
            return False
        now = time.monotonic()
        if self._over_since is None:
            self._over_since = now
        return not self._book.anything_running or now - self._over_since > PATIENCE_SECONDS
