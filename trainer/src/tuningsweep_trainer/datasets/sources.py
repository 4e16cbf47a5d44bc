"""Where rows come from: one function for the four kinds of `spec.trainable.builtin.dataset`.

Called by `store.prepare`, once per node. Every failure is a DatasetError that names the field and what to write instead.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

import numpy as np
import pandas as pd
from sklearn import datasets as sklearn_datasets

from tuningsweep_api.spec.dataset import BundledName, Dataset, GeneratedDataset
from tuningsweep_api.spec.trainable import Task
from tuningsweep_trainer.datasets import openml_source
from tuningsweep_trainer.datasets.frames import FIELD, Rows, rows_of
from tuningsweep_trainer.datasets.room import check_memory
from tuningsweep_trainer.errors import DatasetError
from tuningsweep_trainer.secrets import public_url, without_secrets

_BUNDLED: Final[dict[BundledName, Callable[..., Any]]] = {
    BundledName.IRIS: sklearn_datasets.load_iris,
    BundledName.DIGITS: sklearn_datasets.load_digits,
    BundledName.WINE: sklearn_datasets.load_wine,
    BundledName.BREAST_CANCER: sklearn_datasets.load_breast_cancer,
    BundledName.DIABETES: sklearn_datasets.load_diabetes,
}
SILENCE_SECONDS: Final = 60.0
"""Longest wait for a web server's next bytes; urllib itself waits for ever."""
MOST_INFORMATIVE: Final = 10
"""Informative features of generated rows, at most; the rest is noise."""


def load(dataset: Dataset, task: Task) -> Rows:
    """The rows of a data set, numeric and complete, in the source's dtype; DatasetError if they cannot be had."""
    if dataset.openml is not None:
        frame, default_target = openml_source.download(dataset.openml)
        return rows_of(frame, dataset.target or default_target, dataset.drop_columns)
    if dataset.file is not None:
        return rows_of(_read_file(dataset.file.location), dataset.target, dataset.drop_columns)
    if dataset.bundled is not None:
        return _bundled(dataset.bundled, dataset.drop_columns)
    assert dataset.generated is not None
    if dataset.drop_columns:
        raise DatasetError(f"{FIELD}.dropColumns: generated columns have no names; leave it out")
    return _generated(dataset.generated, task)


def _read_file(location: str) -> pd.DataFrame:
    try:
        with _opened(location) as file:
            if location.endswith(".parquet"):
                return pd.read_parquet(file)
            # Types are inferred of whole columns: by chunk, one placeholder makes numbers of some rows and strings of others.
            return pd.read_csv(file, compression="gzip" if location.endswith(".gz") else None, low_memory=False)
    except Exception as error:  # pandas, pyarrow and urllib each raise their own kinds
        raise DatasetError(
            f"{FIELD}.file.location: {public_url(location)} cannot be read"
            f" ({without_secrets(str(error), location)[:300] or type(error).__name__});"
            " write the path of a file in the image or a mounted volume, or a URL the cluster can reach"
        ) from error


@contextmanager
def _opened(location: str) -> Iterator[Any]:
    """The file's bytes, seekable. What comes by http is spooled first; a server may be silent for SILENCE_SECONDS."""
    if location.startswith(("http://", "https://")):
        with urlopen(location, timeout=SILENCE_SECONDS) as answer, tempfile.TemporaryFile() as spooled:  # noqa: S310
            shutil.copyfileobj(answer, spooled)
            _check_whole(spooled.tell(), answer.length)
            spooled.seek(0)
            yield spooled
    elif location.startswith("s3://"):
        from pyarrow import fs

        filesystem, path = fs.FileSystem.from_uri(location)
        with filesystem.open_input_file(path) as file:
            yield file
    else:
        with Path(location.removeprefix("file://")).open("rb") as file:
            yield file


def _check_whole(received: int, missing: int | None) -> None:
    """OSError if an answer broke off: http.client counts what is `missing` of the length announced, and reads on quietly."""
    if missing:
        raise OSError(f"the connection was lost after {received} of {received + missing} bytes")


def _bundled(name: BundledName, dropped: list[str]) -> Rows:
    bunch = _BUNDLED[name](as_frame=True)
    frame = bunch.data.assign(target=bunch.target)
    return rows_of(frame, "target", dropped)


def _generated(spec: GeneratedDataset, task: Task) -> Rows:
    """Unshuffled rows: the store shuffles anyway, and a second shuffle would need a second copy."""
    check_memory(spec.rows, spec.features)
    informative = min(spec.features, MOST_INFORMATIVE)
    if task is Task.REGRESSION:
        features, target = sklearn_datasets.make_regression(
            n_samples=spec.rows,
            n_features=spec.features,
            n_informative=informative,
            noise=1.0,
            shuffle=False,
            random_state=spec.seed,
        )
        return Rows(features, np.asarray(target))
    if spec.classes > 2**informative:
        raise DatasetError(
            f"{FIELD}.generated.classes: {spec.features} features hold at most {2**informative} classes;"
            " write fewer classes or more features"
        )
    features, target = sklearn_datasets.make_classification(
        n_samples=spec.rows,
        n_features=spec.features,
        n_informative=informative,
        n_redundant=0,
        n_classes=spec.classes,
        n_clusters_per_class=1,
        shuffle=False,
        random_state=spec.seed,
    )
    return Rows(features, target)
