"""What a fork server imports before it forks: each training process then starts with it, in milliseconds."""

import importlib
import sys
import threading

from tuningsweep_api.model import Model

MAX_MESSAGE = 1000


class PreloadError(RuntimeError):
    """A module of `trainable.preload` can't be imported, or can't be forked; says which and why."""


class Preload(Model):
    """Modules in the order in which they are imported, and where the user's are found."""

    modules: list[str] = []
    """Modules of this project and what they need."""
    python_path: list[str] = []
    """Folders put in front of sys.path once those are imported, so that a file of a user's can't take their names."""
    user_modules: list[str] = []
    """`trainable.preload`."""

    def run(self) -> None:
        """Import everything into this process; PreloadError for a module of the user's."""
        for module in self.modules:
            importlib.import_module(module)
        sys.path[:0] = self.python_path
        for module in self.user_modules:
            _import_to_be_forked(module)


def _import_to_be_forked(module: str) -> None:
    before = threading.active_count()
    try:
        importlib.import_module(module)
    except BaseException as error:  # a user's module may raise anything, SystemExit too
        raise PreloadError(f"{module}: {type(error).__name__}: {error}"[:MAX_MESSAGE]) from error
    if threading.active_count() > before:
        raise PreloadError(f"{module} starts a thread when it is imported, and a forked process would be without it")


def draw_again() -> None:
    """Give NumPy's global generator a new state: all forks of one process would draw the same numbers.

    Python's own `random` does so by itself; torch starts from one fixed seed in every process, forked or not.
    """
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        numpy.seed()
