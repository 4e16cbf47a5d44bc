"""The floor: a multiprocessing pool that forks a fresh process for each trial from one that has everything imported."""

import multiprocessing
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.scale import PARALLEL


def pool_trials(train: Callable[[Any], Any], parameters: Sequence[Any], parallel: int = PARALLEL) -> list[Any]:
    """Each parameter's result of `train`, every one in a process of its own; call it from a process without Ray."""
    context = multiprocessing.get_context("fork")
    with context.Pool(parallel, maxtasksperchild=1) as pool:
        return pool.map(train, parameters, chunksize=1)


def preload() -> None:
    """Import what trials need, so that forked processes have it."""
    import sklearn.linear_model  # noqa: F401
