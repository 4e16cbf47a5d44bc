"""Logs as JSON lines with time, level, message, sweep, namespace and trial; used by every process of the trainer."""

import json
import logging
import os
import sys
import time
from pathlib import Path
from typing import Final, TextIO

_CONTEXT: Final = ("trial", "reason", "traceback", "node")
"""Fields that log calls may give as `extra`."""


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON."""

    def __init__(self, fixed: dict[str, str]) -> None:
        super().__init__()
        self._fixed = fixed

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **self._fixed,
        }
        line |= {name: str(value) for name in _CONTEXT if (value := getattr(record, name, None)) is not None}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def _container_log() -> TextIO | None:
    """The container's own standard error, which Ray's processes do not inherit; None outside a pod."""
    if "KUBERNETES_SERVICE_HOST" not in os.environ:
        return None
    try:
        return Path("/proc/1/fd/2").open("w", buffering=1, encoding="utf-8")
    except OSError:
        return None


def configure_logging(*, sweep: str, namespace: str, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send this process's logs to `stream` as JSON lines; repeating it replaces the fields.

    Without a stream they go where `kubectl logs` shows them, or to standard error outside a pod.
    """
    handler = logging.StreamHandler(stream or _container_log() or sys.stderr)
    handler.setFormatter(JsonFormatter({"sweep": sweep, "namespace": namespace}))
    logger = logging.getLogger("tuningsweep_trainer")
    logger.handlers[:] = [handler]
    logger.setLevel(level)
    logger.propagate = False
