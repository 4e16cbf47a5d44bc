"""The whole reproduction: every workload three times without limits, then the arms of the open question, then tidy data.

Called by `tuningsweep reproduce`. One embedded Ray serves all sweeps; what fails or is missing in one workload is named in
the summary and stops no other.
"""

import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tuningsweep_api.spec.limits import Limits
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.clocks import timestamp
from tuningsweep_trainer.driver.options import DriverOptions
from tuningsweep_trainer.driver.ray_session import ray_session
from tuningsweep_trainer.driver.run import InterruptedSweepError
from tuningsweep_trainer.logs import configure_logging
from tuningsweep_trainer.machine import machine, versions
from tuningsweep_trainer.reproduce import data, workloads
from tuningsweep_trainer.reproduce.arms import Arm, arms_of, limits_for, sweep_of
from tuningsweep_trainer.reproduce.collect import sweep_folder
from tuningsweep_trainer.reproduce.running import OtherSettingsError, has_ended, run_in
from tuningsweep_trainer.reproduce.settings import Settings
from tuningsweep_trainer.results.ledger import Ledger
from tuningsweep_trainer.results.store import LocalStore

MACHINE_FILE: Final = "machine.json"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Planned:
    """A sweep to be run; its limits are known only after the run without any."""

    sweep: TuningSweep
    arm: Arm
    run: int

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.sweep.metadata.name}, {self.arm.value}, run {self.run}"

    def folder(self, results: Path) -> Path:
        """Where its results go."""
        return sweep_folder(results, self.sweep.metadata.name, self.arm, self.run)


@dataclass
class Summary:
    """How it went."""

    left_out: dict[str, str] = field(default_factory=dict)
    """Workloads that were not run, and why."""
    failed: dict[str, str] = field(default_factory=dict)
    """Sweeps that did not end, and why."""

    @property
    def complete(self) -> bool:
        """Whether everything that was asked for is there."""
        return not self.left_out and not self.failed


def prepared(sweeps: Sequence[TuningSweep], settings: Settings) -> list[TuningSweep]:
    """The workloads' sweeps with the steps and the data that the settings ask for."""
    found = [workloads.quick(sweep) for sweep in sweeps] if settings.quick else list(sweeps)
    if settings.wave_energy_stand_in and not settings.quick:
        found = [_with_stand_in(sweep, settings.results) for sweep in found]
    if settings.openml_server is not None:
        found = [workloads.from_server(sweep, settings.openml_server) for sweep in found]
    return found if settings.steps is None else [workloads.with_steps(sweep, settings.steps) for sweep in found]


def _with_stand_in(sweep: TuningSweep, results: Path) -> TuningSweep:
    if workloads.openml_id(sweep) != workloads.WAVE_ENERGY:
        return sweep
    return workloads.from_file(sweep, str(data.write_stand_in(results.resolve() / "data")))


def plan(
    sweeps: Sequence[TuningSweep], runs: int, savings_runs: int, wanted: Sequence[Arm] = tuple(Arm)
) -> list[Planned]:
    """All sweeps in their order: the runs without limits first, since the other arms' limits come from them."""
    unlimited = [Planned(workloads.of_run(sweep, run), Arm.NONE, run) for sweep in sweeps for run in range(1, runs + 1)]
    arms = [
        Planned(workloads.of_run(sweep, run), arm, run)
        for sweep in sweeps
        for run in range(1, min(savings_runs, runs) + 1)
        for arm in arms_of(sweep)
        if arm in wanted
    ]
    return [*unlimited, *arms]


def reproduce(
    sweeps: Sequence[TuningSweep], settings: Settings, say: Callable[[str], None], ray_temp_dir: str | None = None
) -> Summary:
    """Run what has not ended yet; InterruptedSweepError after Ctrl-C, OtherSettingsError for results of other settings."""
    settings.results.mkdir(parents=True, exist_ok=True)
    summary, started = Summary(), timestamp()
    wanted = list(_to_be_had(prepared(sweeps, settings), summary, say))
    planned = plan(wanted, len(settings.seeds), settings.savings_runs, settings.arms)
    _note(settings, wanted, summary, started)
    waiting = [one for one in planned if not has_ended(one.folder(settings.results))]
    say(f"{len(planned)} sweeps of {len(wanted)} workloads, {len(planned) - len(waiting)} of them there already")
    options = DriverOptions(results=str(settings.results), ray_temp_dir=ray_temp_dir, log_to_driver=False)
    with (settings.results / "driver.log").open("a", encoding="utf-8") as stream, ExitStack() as sessions:
        for number, one in enumerate(planned, start=1):
            configure_logging(sweep=one.sweep.metadata.name, namespace=one.arm.value, stream=stream)
            if one in waiting:
                sessions.enter_context(ray_session(options))  # the first starts Ray, for the others as well
            _run_one(one, settings.results, summary, _numbered(say, number, len(planned)))
    _note(settings, wanted, summary, started)
    return summary


def _to_be_had(sweeps: Sequence[TuningSweep], summary: Summary, say: Callable[[str], None]) -> Iterator[TuningSweep]:
    """The sweeps whose data set is there."""
    missing = data.missing(sweeps)
    for sweep in sweeps:
        why = missing.get(workloads.openml_id(sweep) or 0)
        if why is None:
            yield sweep
            continue
        name = workloads.labels(sweep).dataset
        summary.left_out[sweep.metadata.name] = f"data set {name} is missing: {why}"
        say(f"{sweep.metadata.name} is left out: data set {name} is missing: {why}")


def _numbered(say: Callable[[str], None], number: int, of: int) -> Callable[[str], None]:
    return lambda text: say(f"[{number}/{of}] {text}")


def _run_one(one: Planned, results: Path, summary: Summary, say: Callable[[str], None]) -> None:
    folder, start = one.folder(results), time.monotonic()
    try:
        there = has_ended(folder)
        run_in(folder, sweep_of(one.arm, one.sweep, _limits(one, results)))
    except (InterruptedSweepError, OtherSettingsError):
        raise
    except Exception as error:
        log.exception("%s", one.name)
        summary.failed[one.name] = str(error) or type(error).__name__
        say(f"{one.name}: FAILED: {summary.failed[one.name]}")
    else:
        if not there:
            say(f"{one.name}: {time.monotonic() - start:.0f} s")


def _limits(one: Planned, results: Path) -> Limits | None:
    """The limits of an arm that needs some, by its workload's run without any."""
    if not one.arm.needs_limits:
        return None
    folder = sweep_folder(results, one.sweep.metadata.name, Arm.NONE, one.run)
    if not has_ended(folder):
        raise ValueError("the run without limits has not ended, so there is nothing to derive limits from")
    spec = one.sweep.spec
    return limits_for(one.arm, spec.objective, Ledger(LocalStore(folder)).load().records, spec.limits)


def portable(text: str, results: Path, home: Path) -> str:
    """A message without where on this machine its paths are: those of results from their folder on, others from home."""
    for folder in (results.resolve(), results):
        text = text.replace(f"{folder}/", "")
    return text.replace(str(home), "~")


def _note(settings: Settings, sweeps: Sequence[TuningSweep], summary: Summary, started: str) -> None:
    """What was run, on what: stands beside every figure. A run that goes on keeps the time of its first start."""
    store = LocalStore(settings.results)
    earlier = json.loads(store.read(MACHINE_FILE) or b"{}")
    home = Path.home()
    note = {
        "started": earlier.get("started", started),
        "ended": timestamp(),
        "machine": machine(),
        "versions": versions(),
        "seeds": list(settings.seeds),
        "savings_runs": min(settings.savings_runs, len(settings.seeds)),
        "quick": settings.quick,
        "steps": {sweep.metadata.name: workloads.builtin_of(sweep).steps for sweep in sweeps},
        "evaluate_every_steps": {s.metadata.name: workloads.builtin_of(s).evaluate_every_steps for s in sweeps},
        "left_out": {name: portable(why, settings.results, home) for name, why in summary.left_out.items()},
        "failed": {name: portable(why, settings.results, home) for name, why in summary.failed.items()},
    }
    store.write(MACHINE_FILE, json.dumps(note, indent=1).encode())
