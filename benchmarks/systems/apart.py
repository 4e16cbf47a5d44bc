"""A process without Ray, for what must not be forked beside Ray's threads: Ray reaps other people's children too."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any


class ApartError(RuntimeError):
    """What was called in the process apart raised."""


@contextmanager
def apart() -> Iterator[Callable[..., Any]]:
    """A function that calls another with arguments in a fresh interpreter; enter before Ray is started."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(theirs,))
    process.start()
    ours.recv()  # it has started

    def call(function: Callable[..., Any], *arguments: Any) -> Any:
        ours.send((function, arguments))
        result, error = ours.recv()
        if error is not None:
            raise ApartError(error)
        return result

    try:
        yield call
    finally:
        process.kill()  # libraries that it used may keep it from ending by itself
        process.join()


def _serve(requests: Connection) -> None:
    requests.send("ready")
    while True:
        function, arguments = requests.recv()
        try:
            requests.send((function(*arguments), None))
        except Exception as error:  # noqa: BLE001 - raised again by the caller
            requests.send((None, repr(error)))
