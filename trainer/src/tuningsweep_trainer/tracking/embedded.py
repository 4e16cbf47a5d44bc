"""The embedded record: MLflow's SQLite file beside the results, made, and brought up to date, whole or not at all.

MLflow makes it in place, table by table, for seconds, and so it changes one of an earlier release; killed meanwhile, as a pod
may be, it leaves half of the tables, which it can neither open nor finish ever after.
"""

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tuningsweep_trainer.tracking.chatter import quieten

FILE: Final = "mlflow.db"

log = logging.getLogger(__name__)


def uri_of(results: str) -> str:
    """The tracking URI of a results folder's own record."""
    return f"sqlite:///{results}/{FILE}"


def artifacts_of(results: str) -> str:
    """Where its runs keep files."""
    return f"file://{results}/mlartifacts"


def make_database(results: str) -> None:
    """Make the file with all its tables, if it is not there; change them to this MLflow's if an earlier one made it."""
    path = Path(results) / FILE
    quieten()
    for left in path.parent.glob(f".{FILE}.*"):
        left.unlink(missing_ok=True)
    if path.exists():
        _bring_up_to_date(path)
    else:
        _make(path, artifacts_of(results))


def _make(path: Path, artifacts: str) -> None:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    making = _beside(path)
    store = SqlAlchemyStore(f"sqlite:///{making}", artifacts)  # type: ignore[no-untyped-call]
    store._dispose_engine()  # type: ignore[no-untyped-call]
    making.replace(path)


def _bring_up_to_date(path: Path) -> None:
    from mlflow.store.db import utils

    with _engine(path) as engine:
        found = utils._get_schema_version(engine)  # type: ignore[no-untyped-call]
    if found == utils._get_latest_schema_revision():  # type: ignore[no-untyped-call]
        return
    making = _beside(path)
    shutil.copyfile(path, making)
    try:
        with _engine(making) as engine:
            utils._upgrade_db(engine)  # type: ignore[no-untyped-call]
    except Exception as error:  # noqa: BLE001 - alembic's own; a later MLflow's file is to be left as it is
        log.warning("%s is of another release of MLflow and can't be changed to this one's: %s", path, error)
        making.unlink()
    else:
        making.replace(path)


@contextmanager
def _engine(path: Path) -> Iterator[Any]:
    import sqlalchemy

    engine = sqlalchemy.create_engine(f"sqlite:///{path}")
    try:
        yield engine
    finally:
        engine.dispose()


def _beside(path: Path) -> Path:
    return path.with_name(f".{FILE}.{os.getpid()}")
