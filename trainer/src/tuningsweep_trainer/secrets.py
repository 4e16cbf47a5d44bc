"""Takes credentials out of what is logged, tracked or said: those in URLs, and those of MLflow's environment variables."""

import os
import re
from typing import Final
from urllib.parse import unquote

VARIABLES: Final = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME")
_ADDRESS: Final = re.compile(r"([^:/?#]+://)(?:[^/:]*:?([^/]*)@)?([^?#]*)")
"""Scheme, password, host and path. Any text is taken, urllib raises for a bracket in a password."""
_IN_URL: Final = re.compile(r"(?<=://)[^/@\s]+@")
SHORTEST: Final = 4
"""Characters of a secret that is worth hiding; taking every `a` out of a text helps nobody."""


def without_secrets(text: str, *addresses: str) -> str:
    """A message fit for the log. Passwords in `addresses` go wherever they stand: libraries quote parts of addresses."""
    text = _IN_URL.sub("", text)
    passwords = [_password(address) for address in addresses]
    for secret in (*map(unquote, passwords), *passwords, *(os.environ.get(name, "") for name in VARIABLES)):
        if len(secret) >= SHORTEST:
            text = text.replace(secret, "***")
    return text


def public_url(url: str) -> str:
    """An address without user, password, query (signed URLs carry their key there) and fragment."""
    found = _ADDRESS.match(url)
    return re.split("[?#]", url)[0] if found is None else found[1] + found[3]


def _password(url: str) -> str:
    found = _ADDRESS.match(url)
    return "" if found is None else found[2] or ""
