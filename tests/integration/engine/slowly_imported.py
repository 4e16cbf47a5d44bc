"""A user's module that is worth preloading; it remembers which process imported it."""

import os

PROCESS = os.getpid()
