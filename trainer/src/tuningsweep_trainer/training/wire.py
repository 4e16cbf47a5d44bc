"""Messages between training process and supervisor: JSON objects, each after its length as four bytes.

Nothing a user's code hands over is ever pickled.
"""

import json
import os
import struct
from collections.abc import Iterator
from typing import Any, Final

_LENGTH: Final = struct.Struct("!I")
MAX_MESSAGE_BYTES: Final = 1 << 20
_CHUNK: Final = 1 << 16

Message = dict[str, Any]


class WireError(ValueError):
    """A message that is too long or is not a JSON object."""


def encode(message: Message) -> bytes:
    """Bytes of a message; WireError if it is over a MiB."""
    body = json.dumps(message, allow_nan=False).encode()
    if len(body) > MAX_MESSAGE_BYTES:
        raise WireError(f"a message of {len(body)} bytes is over the limit of {MAX_MESSAGE_BYTES}")
    return _LENGTH.pack(len(body)) + body


def send(descriptor: int, message: Message) -> None:
    """Write a whole message to a blocking pipe."""
    rest = memoryview(encode(message))
    while rest:
        rest = rest[os.write(descriptor, rest) :]


class MessageReader:
    """Puts messages together from what a non-blocking pipe has to offer."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._buffer = bytearray()
        self.closed = False
        """True once the other end is gone and everything was read."""

    def read(self) -> Iterator[Message]:
        """Every message that is complete now; WireError on nonsense."""
        self._fill()
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > MAX_MESSAGE_BYTES:
                raise WireError(f"a message announces {length} bytes, over the limit of {MAX_MESSAGE_BYTES}")
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                return
            body = bytes(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]
            yield _parsed(body)

    def _fill(self) -> None:
        while not self.closed:
            try:
                chunk = os.read(self._descriptor, _CHUNK)
            except BlockingIOError:
                return
            if not chunk:
                self.closed = True
            self._buffer += chunk


def _parsed(body: bytes) -> Message:
    try:
        message = json.loads(body)
    except ValueError as error:
        raise WireError("a message is not JSON") from error
    if not isinstance(message, dict):
        raise WireError("a message is not a JSON object")
    return message
