"""The results folder of a local run: new, of an unfinished run that goes on, or of an earlier one that is not touched."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tuningsweep_api.names import SWEEP_KEY
from tuningsweep_api.spec.sweep import MUTABLE_FIELDS, TuningSweep

FINISHED: Final = "result.json"
"""Written when the sweep has ended."""


class WorkspaceError(Exception):
    """The folder holds results that this run would spoil; the message says what to do."""


def open_workspace(sweep: TuningSweep, folder: Path, *, fresh: bool, now: datetime | None = None) -> bool:
    """Make the folder ready and write the resolved sweep into it; whether an unfinished run goes on there."""
    if fresh and folder.exists():
        stamp = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
        folder.rename(folder.with_name(f"{folder.name}.{stamp}"))
    earlier = folder / SWEEP_KEY
    resumes = earlier.is_file()
    if resumes:
        _check_same(json.loads(earlier.read_text()), sweep, folder)
    folder.mkdir(parents=True, exist_ok=True)
    earlier.write_text(json.dumps(sweep.dump(), indent=1))
    return resumes


def _check_same(earlier: dict[str, Any], sweep: TuningSweep, folder: Path) -> None:
    advice = "add --fresh to move it aside, or choose another folder with --results"
    if (folder / FINISHED).is_file():
        raise WorkspaceError(f"{folder} holds the results of a finished run; {advice}")
    wanted = sweep.spec.dump()
    changed = [
        field
        for field in sorted({*earlier["spec"], *wanted} - set(MUTABLE_FIELDS))
        if earlier["spec"].get(field) != wanted.get(field)
    ]
    if changed:
        raise WorkspaceError(f"{folder} holds an unfinished run with another spec.{changed[0]}; {advice}")


def close_workspace(folder: Path, state: str) -> None:
    """Mark the run as finished with its last state, JSON."""
    (folder / FINISHED).write_text(state)
