"""How tests wait for what somebody else does: patiently, and with words when it does not come."""

import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from support.api_server import KubectlError

T = TypeVar("T")

PATIENCE: Final = 600.0
"""Seconds to wait for what nobody has promised a time for, however slow or busy the machine is."""


def eventually(check: Callable[[], T | None], what: str, seconds: float = PATIENCE, every: float = 0.5) -> T:
    """Call `check` until it returns something true; the AssertionError says what was waited for and last seen."""
    deadline = time.monotonic() + seconds
    last: Any = None
    while True:
        try:
            last = check()
        except (KubectlError, OSError) as error:
            last = error
        else:
            if last:
                return last
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}; last seen: {last!r}")
        time.sleep(every)
