"""The hostile trainables of support.trainables, and one more, as training processes import them."""

import os
import subprocess
import sys
import time
from typing import Any

from support import trainables
from support.trainables import HOG, reports_nothing
from tuningsweep import step

__all__ = ["hostile", "reports_nothing"]


def hostile(parameters: dict[str, Any]) -> None:
    """Behaves as the parameter `behaviour` says."""
    if parameters["behaviour"] == "daemonises_hog":
        daemonises_hog()
    trainables.hostile(parameters)


def daemonises_hog() -> None:
    """Leaves the memory to a daemon: forked twice, in a session of its own, whose parent has ended."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        subprocess.Popen([sys.executable, "-c", HOG])
        os._exit(0)
    os.waitpid(pid, 0)
    with step():
        time.sleep(600)
