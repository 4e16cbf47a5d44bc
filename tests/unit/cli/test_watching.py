"""Following a sweep: every trial is told once, a cluster that is away for a moment is waited for, the end is the end."""

import fcntl
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from support.sweeps import BASE
from support.trials import RECORDS, make_results
from tuningsweep_api.outcomes import Phase
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import TrialRecord
from tuningsweep_cli.exits import CommandError, Exit
from tuningsweep_cli.source.base import Progress, Source
from tuningsweep_cli.source.live import DriverUnreachableError
from tuningsweep_cli.source.stored import open_results
from tuningsweep_cli.watching import FAILURES, LineViewer, follow
from tuningsweep_cli.workspace import LOCK
from tuningsweep_trainer.results.traces import TrialTrace

AWAY = CommandError("the API server can't be reached", Exit.CLUSTER)


class Scripted(Source):
    """Answers as scripted: a phase and the number of ended trials (None: the driver is away), or an error."""

    sweep = TuningSweep.from_manifest(BASE)
    place = "a script"

    def __init__(self, *script: tuple[Phase, int | None] | CommandError) -> None:
        self._script = list(script)
        self._ended: int | None = 0

    def progress(self) -> Progress:
        answer = self._script.pop(0)
        if isinstance(answer, CommandError):
            raise answer
        phase, self._ended = answer
        return Progress(phase)

    def records(self, after: int = 0) -> list[TrialRecord]:
        if self._ended is None:
            raise DriverUnreachableError("away")
        return RECORDS[after : self._ended]

    def traces(self, trial: str) -> list[TrialTrace]:
        raise NotImplementedError


def lines(source: Source) -> list[str]:
    console = Console(file=StringIO(), width=160)
    follow(source, LineViewer(console), lambda: None)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


def test_every_trial_is_told_once_also_when_the_driver_is_away_in_between() -> None:
    told = lines(
        Scripted(
            (Phase.PENDING, None), (Phase.RUNNING, 1), (Phase.RUNNING, None), (Phase.RUNNING, 3), (Phase.COMPLETE, 3)
        )
    )
    assert told == [
        "Pending",
        "trial-0000 Succeeded",
        "Running",
        "trial-0001 MemoryLimitExceeded: 500Mi > 400Mi",
        "trial-0002 Succeeded",
    ]


def test_a_cluster_that_is_away_for_a_while_is_waited_for_and_said_to_be_away() -> None:
    told = lines(Scripted((Phase.RUNNING, 0), *[AWAY] * FAILURES, (Phase.FAILED, 0)))
    assert told == ["Running", "Running: the API server can't be reached"]


def test_a_cluster_that_stays_away_or_never_was_there_ends_the_command() -> None:
    for script in ([AWAY], [(Phase.RUNNING, 0), *[AWAY] * (FAILURES + 1)]):
        with pytest.raises(CommandError, match="can't be reached"):
            lines(Scripted(*script))


def test_a_sweep_that_is_deleted_ends_the_command() -> None:
    gone = CommandError("there is no such sweep", Exit.NOT_FOUND)
    with pytest.raises(CommandError, match="no such sweep"):
        lines(Scripted((Phase.RUNNING, 0), gone))


def test_a_local_run_that_was_interrupted_is_not_waited_for(tmp_path: Path) -> None:
    results = make_results(tmp_path)
    (results / LOCK).touch()
    with pytest.raises(CommandError, match="was interrupted; `tuningsweep run` with its manifest goes on") as raised:
        lines(open_results(str(results)))
    assert raised.value.code is Exit.INTERRUPTED


def test_a_local_run_that_somebody_is_at_is_waited_for_and_so_is_one_in_a_pod(tmp_path: Path) -> None:
    results = make_results(tmp_path)
    assert not open_results(str(results)).progress().interrupted, "a claim has no lock: it may run elsewhere"
    with (results / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert not open_results(str(results)).progress().interrupted
