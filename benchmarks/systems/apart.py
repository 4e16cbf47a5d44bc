"""A process without Ray, for what must not be forked beside Ray's threads: Ray reaps other people's children too."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any


@contextmanager
def apart() -> Iterator[Callable[..., Any]]:
    """A function that calls another with arguments in a fresh interpreter; enter before Ray is started."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        executor.submit(int).result()  # started now, not at the first call
        yield lambda function, *arguments: executor.submit(function, *arguments).result()
