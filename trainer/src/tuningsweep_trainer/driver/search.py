"""Hands the book's trials to Tune: a SearchAlgorithm, so that every scheduler (PBT too) takes them.

Counts may be edited while the sweep runs, so whether the search is finished is asked anew each time.
"""

import copy
from typing import Any

from ray.tune.experiment import _convert_to_experiment_list
from ray.tune.experiment.config_parser import _create_trial_from_spec, _make_parser
from ray.tune.search.search_algorithm import SearchAlgorithm

from tuningsweep_trainer.driver.book import Book


class SweepSearch(SearchAlgorithm):
    """Gives Tune a trial whenever the book has one to start."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._parser = _make_parser()
        self._spec: dict[str, Any] = {}

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
        self._spec = experiment.spec

    def next_trial(self) -> Any:
        """A Tune trial for the next assignment, or None if none may start now."""
        assigned = self._book.next_trial()
        if assigned is None:
            return None
        name, parameters = assigned
        spec = {**self._spec, "config": {"trial": name, "parameters": copy.deepcopy(parameters)}}
        return _create_trial_from_spec(
            spec, self._parser, evaluated_params=parameters, experiment_tag=name, trial_id=name
        )

    def is_finished(self) -> bool:
        """Whether nothing is left to start."""
        return self._book.nothing_left

    def set_finished(self) -> None:
        """Tune gives up handing out trials (an interrupt)."""
        self._book.interrupted = True

    def has_checkpoint(self, dirpath: str) -> bool:  # noqa: ARG002 - Tune's interface
        """Never: the ledger is what survives."""
        return False

    def save_to_dir(self, dirpath: str, **_: Any) -> None:
        """Nothing to save: the ledger is what survives."""
