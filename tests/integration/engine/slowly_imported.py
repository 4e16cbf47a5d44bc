"""A user's module that is worth preloading; it remembers which process imported it."""

import os
import time
from typing import Any

SECONDS = 0.3

PROCESS = os.getpid()
time.sleep(SECONDS)


def train(parameters: dict[str, Any]) -> None:
    """Nothing."""
