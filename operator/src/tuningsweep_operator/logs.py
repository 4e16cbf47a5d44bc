"""JSON log lines, each with its sweep: set up once by main, used through the standard logging module."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from tuningsweep_api import names

_CONTEXT = ("sweep", "namespace", "trial")
_KOPF_KINDS = "kopf._core.reactor.observation"
_UNRESOLVED = "Unresolved resources"
_QUEUES = "kueue.x-k8s.io"


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and sweep, namespace, trial where they are known."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record; kopf's own records carry the object as `k8s_ref`."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        reference = getattr(record, "k8s_ref", None) or {}
        if reference.get("kind") != names.KIND:
            reference = {}
        line |= {
            key: value
            for key, value in (("sweep", reference.get("name")), ("namespace", reference.get("namespace")))
            if value
        }
        line |= {key: getattr(record, key) for key in _CONTEXT if getattr(record, key, None)}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


class WithoutQueues(logging.Filter):
    """Drops kopf's warning that Kueue's kind is not there: it need not be, and kopf says so at every change of the API."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record stays; one that names another kind beside does."""
        message = record.getMessage() if record.name == _KOPF_KINDS else ""
        return not (message.startswith(_UNRESOLVED) and _QUEUES in message and message.count("Selector(") == 1)


def set_up(level: str) -> None:
    """Send every log record to standard error as JSON."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    handler.addFilter(WithoutQueues())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("aiohttp.access", "kopf.objects"):  # a line for every request, for every watch event
        logging.getLogger(chatty).setLevel(logging.WARNING)
