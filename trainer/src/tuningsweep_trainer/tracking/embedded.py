"""The embedded record: MLflow's SQLite file beside the results, made whole or not at all.

MLflow makes it in place, table by table, for seconds; killed meanwhile, as a pod may be, it leaves half of them, which it
can neither open nor finish ever after.
"""

import os
from pathlib import Path
from typing import Final

from tuningsweep_trainer.tracking.chatter import quieten

FILE: Final = "mlflow.db"


def uri_of(results: str) -> str:
    """The tracking URI of a results folder's own record."""
    return f"sqlite:///{results}/{FILE}"


def artifacts_of(results: str) -> str:
    """Where its runs keep files."""
    return f"file://{results}/mlartifacts"


def make_database(results: str) -> None:
    """Make the file with all its tables, if it is not there."""
    path = Path(results) / FILE
    if path.exists():
        return
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    quieten()
    for left in path.parent.glob(f".{FILE}.*"):
        left.unlink(missing_ok=True)
    making = path.with_name(f".{FILE}.{os.getpid()}")
    store = SqlAlchemyStore(f"sqlite:///{making}", artifacts_of(results))  # type: ignore[no-untyped-call]
    store._dispose_engine()  # type: ignore[no-untyped-call]
    making.replace(path)
