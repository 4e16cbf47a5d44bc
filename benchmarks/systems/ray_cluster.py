"""One Ray for all systems of a figure, started before any of them is measured."""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.scale import PARALLEL
from tuningsweep_trainer.driver.ray_session import ENVIRONMENT


@contextmanager
def ray_running(folder: Path, cores: int = PARALLEL) -> Iterator[None]:
    """A local Ray for the length of a block, with the environment that our driver gives it."""
    import ray

    with environment(ENVIRONMENT):
        ray.init(
            address="local",
            num_cpus=cores,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            object_store_memory=200 << 20,
            _temp_dir=str(folder),
        )
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def environment(values: Mapping[str, str | None]) -> Iterator[None]:
    """Environment variables for the length of a block; None takes one out."""
    before = {name: os.environ.get(name) for name in values}
    _put(values)
    try:
        yield
    finally:
        _put(before)


def _put(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
