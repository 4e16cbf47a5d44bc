"""Wall-clock time as the records write it; everything that measures uses CLOCK_MONOTONIC instead."""

from datetime import UTC, datetime


def timestamp() -> str:
    """Now, RFC 3339 in UTC with milliseconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
