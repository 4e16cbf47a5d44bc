"""What a program prints, line by line, until it has ended.

The end of its output is not waited for after that: a process that it leaves behind (`tensorboard ... &` in a script) may
hold the output for ever.
"""

import codecs
import fcntl
import io
import os
import select
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from typing import Final

MAX_LINE: Final = 1 << 16
"""Characters; longer lines come in pieces."""
POLL_SECONDS: Final = 0.1
"""Between two looks whether a program that prints nothing has ended."""
QUIET_SECONDS = 1.0
"""Processes left behind may still pass on what the program has said (`tee`): they are heard until they are quiet so long."""
LEFT_BEHIND_SECONDS = 10.0
"""They are heard no longer than this, however much they say."""


class Output:
    """The output of one program, which must be a pipe."""

    def __init__(self, process: subprocess.Popen[bytes], on_end: Callable[[], None]) -> None:
        """`on_end` is called by who takes the lines, as soon as the program is seen to have ended; lines may follow."""
        assert process.stdout is not None
        self._process, self._on_end = process, on_end
        self._pipe = process.stdout.fileno()
        self._ended: float | None = None
        self._heard = 0.0
        self._owed = 0
        """Bytes yet to be read of what was in the pipe when the program had ended."""

    def lines(self) -> Iterator[str]:
        """Each line with its newline, of whatever kind; what is no UTF-8 is replaced."""
        decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8")("replace"), translate=True)
        rest = ""
        for chunk in self._chunks():
            *whole, rest = (rest + decoder.decode(chunk)).split("\n")
            yield from (f"{line}\n" for line in whole)
            if len(rest) >= MAX_LINE:
                yield rest
                rest = ""
        rest += decoder.decode(b"", final=True)
        if rest:
            yield rest

    def _chunks(self) -> Iterator[bytes]:
        while not self._is_over():
            if select.select([self._pipe], [], [], POLL_SECONDS)[0]:
                chunk = os.read(self._pipe, MAX_LINE)
                if not chunk:
                    return
                self._owed -= len(chunk)
                yield chunk
                # Only now: who takes the lines may be held up for long.
                self._heard = time.monotonic()

    def _is_over(self) -> bool:
        now = time.monotonic()
        if self._ended is None:
            if self._process.poll() is None:
                return False
            self._ended = self._heard = now
            self._owed = _unread(self._pipe)
            self._on_end()
        until = min(self._heard + QUIET_SECONDS, self._ended + LEFT_BEHIND_SECONDS)
        return self._owed <= 0 and now >= until


def _unread(pipe: int) -> int:
    """Bytes that wait in a pipe."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)
