"""The results folder of a local run: new, of an unfinished run that goes on, or of an earlier one that is not touched.

`run` takes the whole of it; `reproduce` keeps others out of its folder by the same lock.
"""

import fcntl
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tuningsweep_api.names import RESULT_KEY, SWEEP_KEY
from tuningsweep_api.spec.sweep import MUTABLE_FIELDS, TuningSweep
from tuningsweep_cli.exits import CommandError

LOCK: Final = ".lock"
ADVICE: Final = "add --fresh to move it aside, or choose another folder with --results"


class WorkspaceError(CommandError):
    """The folder holds results that this run would spoil; the message says what to do."""


@contextmanager
def workspace(
    sweep: TuningSweep, folder: Path, *, fresh: bool, now: datetime | None = None
) -> Iterator[tuple[TuningSweep, bool]]:
    """The folder made ready and held for this process alone: the sweep with its uid, and whether an unfinished run goes on.

    The uid stays with the folder, so that a tracking server tells a repeated sweep from one that goes on.
    WorkspaceError where the folder can't be used.
    """
    if fresh and folder.exists():
        stamp = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
        _aside(folder, folder.with_name(f"{folder.name}.{stamp}"))
    with alone_in(folder):
        earlier = _earlier(folder)
        if earlier is not None:
            _check_same(earlier, sweep, folder)
        uid = str(uuid.uuid4()) if earlier is None else str(earlier["metadata"]["uid"])
        named = sweep.model_copy(update={"metadata": sweep.metadata.model_copy(update={"uid": uid})})
        (folder / SWEEP_KEY).write_text(json.dumps(named.dump(), indent=1))
        yield named, earlier is not None


def close_workspace(folder: Path, state: str) -> None:
    """Mark the run as finished with its last state, JSON."""
    (folder / RESULT_KEY).write_text(state)


def held(folder: Path | str) -> bool:
    """Whether a run is in a folder at this moment, on this machine."""
    try:
        lock = (Path(folder) / LOCK).open()
    except OSError:
        return False
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        return False


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """The folder, made and locked, WorkspaceError if another holds it; the lock goes with the process, however that ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK).open("w")
    except OSError as error:
        raise WorkspaceError(f"{folder}: {error.strerror}; choose another folder with --results") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise WorkspaceError(
                f"{folder} is in use by another run; wait for it, or choose another folder with --results"
            ) from error
        yield


def _aside(folder: Path, target: Path) -> None:
    with alone_in(folder):
        folder.rename(target)


def _earlier(folder: Path) -> dict[str, Any] | None:
    """The sweep of the run that the folder holds."""
    path = folder / SWEEP_KEY
    if not path.is_file():
        return None
    try:
        earlier: dict[str, Any] = json.loads(path.read_text())
        earlier["metadata"]["uid"], earlier["spec"]
    except (ValueError, KeyError, TypeError) as error:
        raise WorkspaceError(f"{path} can't be read; {ADVICE}") from error
    return earlier


def _check_same(earlier: dict[str, Any], sweep: TuningSweep, folder: Path) -> None:
    if (folder / RESULT_KEY).is_file():
        raise WorkspaceError(f"{folder} holds the results of a finished run; {ADVICE}")
    wanted = sweep.spec.dump()
    changed = [
        field
        for field in sorted({*earlier["spec"], *wanted} - set(MUTABLE_FIELDS))
        if earlier["spec"].get(field) != wanted.get(field)
    ]
    if changed:
        raise WorkspaceError(f"{folder} holds an unfinished run with another spec.{changed[0]}; {ADVICE}")
