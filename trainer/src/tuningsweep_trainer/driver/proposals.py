"""Which parameters the trial at a position of the sweep gets: grid and random depend on the position alone, searchers learn.

Called by book.py. A restarted driver proposes the same again; what a searcher had learnt is told to it again.
"""

from collections.abc import Iterable
from typing import Protocol

from tuningsweep_api.spec.search import SearchAlgorithm
from tuningsweep_api.spec.search_space import Parameter
from tuningsweep_api.spec.sweep import TuningSweepSpec
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.driver.search_space import Parameters, grid_configuration, grid_size, random_configuration
from tuningsweep_trainer.driver.searchers import make_searcher


class Proposer(Protocol):
    """Proposes parameters for trials."""

    def propose(self, index: int, trial: str) -> Parameters | None:
        """Parameters of the trial at position `index` (from 0); None when there are no more."""

    def ended(self, record: TrialRecord) -> None:
        """A trial ended, under this driver or an earlier one."""


class GridProposer:
    """Every combination, the first parameter varying slowest."""

    def __init__(self, parameters: Iterable[Parameter]) -> None:
        self._parameters = list(parameters)
        self._size = grid_size(self._parameters)

    def propose(self, index: int, trial: str) -> Parameters | None:  # noqa: ARG002 - a Proposer
        """The combination at a position."""
        return grid_configuration(self._parameters, index) if index < self._size else None

    def ended(self, record: TrialRecord) -> None:
        """Nothing to learn."""


class RandomProposer:
    """Independent draws; each position has a random stream of its own, so that restarts change nothing."""

    def __init__(self, parameters: Iterable[Parameter], seed: int) -> None:
        self._parameters = list(parameters)
        self._seed = seed

    def propose(self, index: int, trial: str) -> Parameters | None:  # noqa: ARG002 - a Proposer
        """A draw for a position."""
        return random_configuration(self._parameters, self._seed, index)

    def ended(self, record: TrialRecord) -> None:
        """Nothing to learn."""


def make_proposer(spec: TuningSweepSpec, assigned: int) -> Proposer:
    """The proposer that `spec.search` names, for a sweep in which `assigned` trials have their parameters already."""
    if spec.search.algorithm_name is SearchAlgorithm.GRID:
        return GridProposer(spec.parameters)
    if spec.search.algorithm_name is SearchAlgorithm.RANDOM:
        return RandomProposer(spec.parameters, spec.search.seed)
    proposer: Proposer = make_searcher(spec, assigned)
    return proposer
