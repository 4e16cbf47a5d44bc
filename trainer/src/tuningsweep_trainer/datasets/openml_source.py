"""Rows from OpenML, or a server that speaks its API, through the `openml` client.

Called by `sources.load`. The client has no time limit of its own, so it works in a thread that is waited for; its cache
goes to a folder that can be written in a container with a read-only home.
"""

import importlib
import os
import tempfile
import threading
from pathlib import Path
from typing import Any, Final

import pandas as pd

from tuningsweep_api.spec.dataset import OpenMLDataset
from tuningsweep_trainer.datasets.frames import FIELD
from tuningsweep_trainer.errors import DatasetError
from tuningsweep_trainer.secrets import public_url, without_secrets

SERVER_VARIABLE: Final = "TUNINGSWEEP_OPENML_SERVER"
CACHE_VARIABLE: Final = "TUNINGSWEEP_OPENML_CACHE"
DEFAULT_SERVER: Final = "https://www.openml.org/api/v1/xml"
TIME_LIMIT_SECONDS: Final = 900.0
"""Longest download; MNIST's 15 MB need seconds."""


def server_address(spec: OpenMLDataset) -> str:
    """The API's address: the spec's, else the environment's, else OpenML's own."""
    return (spec.server or os.environ.get(SERVER_VARIABLE) or DEFAULT_SERVER).rstrip("/")


def download(spec: OpenMLDataset, time_limit: float = TIME_LIMIT_SECONDS) -> tuple[pd.DataFrame, str | None]:
    """The table and the name of its default target; DatasetError after `time_limit` seconds or any refusal."""
    answers: list[tuple[pd.DataFrame, str | None] | Exception] = []
    thread = threading.Thread(target=_collect, args=(spec, answers), name="openml", daemon=True)
    thread.start()
    thread.join(time_limit)
    if not answers:
        raise DatasetError(
            f"{FIELD}.openml: {public_url(server_address(spec))} did not deliver {_words(spec)} within {time_limit:g} s;"
            f" check that the server answers, or write another {FIELD}.openml.server"
        )
    answer = answers[0]
    if isinstance(answer, Exception):
        raise DatasetError(_sentence(spec, answer)) from answer
    return answer


def _collect(spec: OpenMLDataset, answers: list[tuple[pd.DataFrame, str | None] | Exception]) -> None:
    try:
        answers.append(_fetch(spec))
    except Exception as error:  # noqa: BLE001 - handed to the waiting thread, which raises it as DatasetError
        answers.append(error)


def _fetch(spec: OpenMLDataset) -> tuple[pd.DataFrame, str | None]:
    openml = _client(spec)
    found = openml.datasets.get_dataset(
        spec.id if spec.id is not None else spec.name,
        version=spec.version,
        download_data=True,
        download_qualities=False,
        download_features_meta_data=True,
    )
    frame = found.get_data(dataset_format="dataframe")[0]
    return frame, found.default_target_attribute


def _client(spec: OpenMLDataset) -> Any:
    """The configured module; imported late because importing it makes folders in the home folder."""
    folder = _cache_folder()
    os.environ.setdefault("OPENML_CACHE_DIR", str(folder))
    os.environ.setdefault("XDG_CONFIG_HOME", str(folder))
    openml = importlib.import_module("openml")
    openml.config.server = server_address(spec)
    openml.config.set_retry_policy("human", 1)
    openml.config.set_root_cache_directory(str(folder))
    return openml


def _cache_folder() -> Path:
    named = os.environ.get(CACHE_VARIABLE)
    folder = Path(named) if named else Path(tempfile.gettempdir()) / f"tuningsweep-openml-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DatasetError(
            f"{FIELD}.openml: the cache folder {folder} cannot be made ({error.strerror});"
            f" set {CACHE_VARIABLE} to a folder that can be written"
        ) from error
    return folder


def _words(spec: OpenMLDataset) -> str:
    if spec.id is not None:
        return f"data set {spec.id}"
    return f"data set {spec.name!r}" + (f" version {spec.version}" if spec.version is not None else "")


def _sentence(spec: OpenMLDataset, error: Exception) -> str:
    if isinstance(error, DatasetError):
        return str(error)
    cause = without_secrets(str(error), server_address(spec)) or type(error).__name__
    if "nknown dataset" in cause or "No active datasets" in cause or "No results" in cause:
        field = "id" if spec.id is not None else "name"
        return (
            f"{FIELD}.openml.{field}: {public_url(server_address(spec))} has no {_words(spec)};"
            " write the id or name of an active data set"
        )
    return (
        f"{FIELD}.openml: {_words(spec)} could not be had from {public_url(server_address(spec))} ({cause[:300]});"
        f" check that the server can be reached from the cluster, or write another {FIELD}.openml.server"
    )
