"""Keeps MLflow's own words out of a driver's output."""

import logging
from typing import Final

CHATTY: Final = ("mlflow", "alembic", "urllib3.connectionpool")
"""Loggers; the last one warns of every single retry."""


def quieten() -> None:
    """Let nothing below an error through; call it once MLflow is imported, which sets its levels."""
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.ERROR)
