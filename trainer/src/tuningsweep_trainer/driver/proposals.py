"""Which parameters the trial at a position of the sweep gets: grid and random depend on the position alone, searchers learn.

Called by upcoming.py. A restarted driver proposes the same again; what a searcher had learnt is told to it again.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from tuningsweep_api.spec.search import SearchAlgorithm
from tuningsweep_api.spec.search_space import Parameter
from tuningsweep_api.spec.sweep import TuningSweepSpec
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.driver.search_space import (
    Parameters,
    grid_configuration,
    grid_index,
    grid_size,
    points_to_evaluate,
    random_configuration,
)
from tuningsweep_trainer.driver.searchers import make_searcher


class Proposer(Protocol):
    """Proposes parameters for trials."""

    def propose(self, index: int, trial: str) -> Parameters | None:
        """Parameters of the trial at position `index` (from 0); None when there are no more."""

    def ended(self, record: TrialRecord) -> None:
        """A trial ended, under this driver or an earlier one."""


class GridProposer:
    """Every combination once: the points to evaluate, then the others with the first parameter varying slowest."""

    def __init__(self, parameters: Iterable[Parameter], points: Sequence[Parameters]) -> None:
        self._parameters = list(parameters)
        self._size = grid_size(self._parameters)
        self._first = [grid_index(self._parameters, point) for point in points]

    def propose(self, index: int, trial: str) -> Parameters | None:  # noqa: ARG002 - a Proposer
        """The combination at a position."""
        if index >= self._size:
            return None
        return grid_configuration(self._parameters, self._grid_position(index))

    def _grid_position(self, index: int) -> int:
        """The position in the grid of what is tried as number `index`."""
        if index < len(self._first):
            return self._first[index]
        position = index - len(self._first)
        for taken in sorted(self._first):
            if taken <= position:
                position += 1
        return position

    def ended(self, record: TrialRecord) -> None:
        """Nothing to learn."""


class RandomProposer:
    """The points to evaluate, then independent draws; each position has a random stream of its own, so that restarts
    change nothing."""

    def __init__(self, parameters: Iterable[Parameter], seed: int, points: Sequence[Parameters]) -> None:
        self._parameters = list(parameters)
        self._seed = seed
        self._points = points

    def propose(self, index: int, trial: str) -> Parameters | None:  # noqa: ARG002 - a Proposer
        """A point or a draw for a position."""
        if index < len(self._points):
            return dict(self._points[index])
        return random_configuration(self._parameters, self._seed, index)

    def ended(self, record: TrialRecord) -> None:
        """Nothing to learn."""


def make_proposer(spec: TuningSweepSpec, assigned: int) -> Proposer:
    """The proposer that `spec.search` names, for a sweep in which `assigned` trials have their parameters already."""
    points = points_to_evaluate(spec)
    if spec.search.algorithm_name is SearchAlgorithm.GRID:
        return GridProposer(spec.parameters, points)
    if spec.search.algorithm_name is SearchAlgorithm.RANDOM:
        return RandomProposer(spec.parameters, spec.search.seed, points)
    proposer: Proposer = make_searcher(spec, assigned, points[assigned:])
    return proposer
