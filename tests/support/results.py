"""Records, traces and whole results folders for tests of what reads them: a base value each, and what differs."""

import json
import math
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from support.sweeps import sweep_manifest
from tuningsweep_api.messages import SweepResult, SweepState, desired_state
from tuningsweep_api.outcomes import ConditionReason, Outcome, Reason
from tuningsweep_api.spec.limits import Limits
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import TrialCounts, TrialRecord
from tuningsweep_trainer.results.desired import DesiredFile
from tuningsweep_trainer.results.ledger import Assignment, Ledger
from tuningsweep_trainer.results.store import LocalStore
from tuningsweep_trainer.results.traces import TracedReport, TracePoint, TraceRecorder, TrialTrace, write_trace

START = datetime(2026, 1, 1, tzinfo=UTC)
MIB = 1 << 20
HOSTILE = "<script>alert(1)</script>"
HOSTILE_NAME = "<img src=x onerror=alert(1)>"
"""Text of a user that must only ever be shown."""


def at(seconds: float) -> str:
    """RFC 3339 text of a moment in the sweep."""
    return (START + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def record(index: int, **changes: Any) -> TrialRecord:
    """A trial that trained to its end in ten seconds, with changes."""
    fields: dict[str, Any] = {
        "trial": f"trial-{index:04d}",
        "parameters": {"batch_size": 30, "learning_rate": 0.001},
        "outcome": Outcome.SUCCEEDED,
        "reason": Reason.COMPLETED,
        "metrics": {"validation_loss": 0.5, "mean_step_time_seconds": 0.01},
        "steps": 100,
        "start_time": at(index * 5),
        "completion_time": at(index * 5 + 10),
        "duration_seconds": 10.0,
        "cpu_seconds": 5.0,
        "peak_memory": 200 * MIB,
    }
    return TrialRecord(**(fields | changes))


def trace(trial: str, mean_step_time: float | None = 0.01, **changes: Any) -> TrialTrace:
    """A trace of two looks, with changes."""
    recorder = TraceRecorder()
    recorder.limits(0.0, Limits(memory="400Mi", mean_step_time="50ms", step_time="2s"))
    recorder.look(TracePoint(0.0, 50 * MIB, 0, None, 0.0, 50.0))
    recorder.look(TracePoint(1.0, 100 * MIB, 10, mean_step_time, 0.02, 90.0))
    made = recorder.trace(
        trial=trial, parameters={}, start_time=at(0), duration=2.0, outcome=Outcome.SUCCEEDED, reason=Reason.COMPLETED
    )
    return made.model_copy(update=changes)


def example_sweep(**edits: Any) -> TuningSweep:
    """A sweep over four parameters of all kinds, with all limits."""
    parameters = [
        {"name": "batch_size", "parameterType": "discrete", "feasibleSpace": {"list": ["32", "128", "512", "2048"]}},
        {"name": "width", "parameterType": "int", "feasibleSpace": {"min": "16", "max": "4096"}},
        {
            "name": "learning_rate",
            "parameterType": "double",
            "feasibleSpace": {"min": "0.0001", "max": "0.1", "distribution": "logUniform"},
        },
        {"name": "optimizer", "parameterType": "categorical", "feasibleSpace": {"list": ["sgd", "adam", HOSTILE]}},
    ]
    manifest = sweep_manifest(
        metadata__name="digits",
        spec__parameters=parameters,
        spec__trainable={"function": "my_module:train"},
        spec__maxTrialCount=200,
        spec__limits={"memory": "300Mi", "meanStepTime": "100ms", "stepTime": "2s"},
        **edits,
    )
    return TuningSweep.from_manifest(manifest)


def example_limits(*, edited: bool) -> Limits:
    """The limits of the sweep before and after somebody edited them."""
    return Limits(memory="250Mi" if edited else "300Mi", mean_step_time="100ms", step_time="2s")


def example_trial(index: int, chance: random.Random) -> tuple[TrialRecord, TrialTrace]:
    """A trial whose memory and step time follow from its parameters, ended by the first limit it exceeds."""
    width, batch = round(16 * 256 ** chance.random()), chance.choice((32, 128, 512, 2048))
    rate = 10 ** chance.uniform(-4, -1)
    optimizer = chance.choice(("sgd", "adam", HOSTILE))
    high, step = (90 + 3e-5 * width * batch + width / 40) * MIB, 0.002 + 3e-8 * width * batch
    hangs = index % 29 == 7
    outcome, reason, observed, limit, steps = Outcome.SUCCEEDED, Reason.COMPLETED, None, None, 600
    allowed = 0.35 if index < 60 else 0.25
    if hangs:
        outcome, reason, observed, limit, steps = (
            Outcome.LIMIT_EXCEEDED,
            Reason.STEP_TIME_LIMIT_EXCEEDED,
            2.01,
            2.0,
            40,
        )
    elif high > 250 * MIB:
        outcome, reason, steps = Outcome.LIMIT_EXCEEDED, Reason.MEMORY_LIMIT_EXCEEDED, chance.choice((0, 8, 30))
        observed, limit, high = 252.0 * MIB, 250.0 * MIB, 252 * MIB
    elif step > 0.1:
        outcome, reason, steps = Outcome.LIMIT_EXCEEDED, Reason.MEAN_STEP_TIME_LIMIT_EXCEEDED, 25
        observed, limit = step, 0.1
    elif index % 5 == 3:
        outcome, reason, steps = Outcome.PRUNED, Reason.PRUNED_BY_SCHEDULER, 150
    elif index % 23 == 9:
        outcome, reason, steps = Outcome.FAILED, Reason.TRAINABLE_ERROR, 12
    elif index % 31 == 12:
        outcome, reason, steps = Outcome.STOPPED, Reason.STOP_REQUESTED, 200
    loss = allowed + 0.6 * (math.log10(rate) + 2) ** 2 / 4 + 2 / width + chance.random() * 0.05 + 40 / (steps + 40)
    setup = 1.5
    duration = setup + steps * step + (2 if hangs else 0)
    recorder = TraceRecorder()
    recorder.limits(0.0, example_limits(edited=index >= 20))
    seconds = 0.0
    while seconds < duration:
        done = min(steps, max(0, int((seconds - setup) / step)))
        grown = min(1.0, (seconds + 0.1) / setup) * high * (0.97 + 0.03 * chance.random())
        in_flight = max(0.0, seconds - setup - steps * step) if hangs and done == steps else step * chance.random()
        mean = step * (0.9 + 0.2 * chance.random()) if done > 10 else None
        recorder.look(TracePoint(seconds, int(grown), done, mean, in_flight, 95.0))
        if done and done % 50 == 0:
            recorder.report(TracedReport(seconds, done, loss))
        seconds += max(0.05, duration / 300)
    recorder.look(TracePoint(duration, int(high), steps, step if steps > 10 else None, 2.01 if hangs else 0.0, 95.0))
    start = index // 3 * 4.5 + index % 3
    metrics = {"validation_loss": loss, "mean_step_time_seconds": step} if steps > 20 else {}
    made = TrialRecord(
        trial=f"trial-{index:04d}",
        parameters={"batch_size": batch, "width": width, "learning_rate": rate, "optimizer": optimizer}
        | ({HOSTILE_NAME: HOSTILE, "image": "https://example.com/a.png"} if index == 5 else {}),
        outcome=outcome,
        reason=reason,
        message=f"why trial {index} ended {HOSTILE}",
        observed=observed,
        limit=limit,
        metrics=metrics,
        steps=steps,
        start_time=at(start),
        completion_time=at(start + duration),
        duration_seconds=duration,
        cpu_seconds=duration * 0.95,
        peak_memory=int(high),
    )
    traced = recorder.trace(
        trial=made.trial,
        parameters=made.parameters,
        start_time=at(start),
        duration=duration,
        outcome=outcome,
        reason=reason,
    )
    return made, traced


def write_results(folder: Path, trials: int, *, running: int = 0, traced: bool = True) -> Path:
    """A results folder of a sweep of so many ended trials; with running ones it has not ended."""
    store, chance = LocalStore(folder), random.Random(7)
    ledger = Ledger(store)
    store.write("sweep.json", json.dumps(example_sweep().dump()).encode())
    edited = desired_state(example_sweep()).model_copy(update={"limits": example_limits(edited=True)})
    DesiredFile(store).write(edited)
    made = [example_trial(index, chance) for index in range(trials + running)]
    for index, (record, found) in enumerate(made):
        assignment = Assignment(
            trial=record.trial, parameters=record.parameters, attempt=1, time=record.start_time or at(0)
        )
        ledger.assign(assignment)
        if index < trials:
            ledger.record(record)
        if traced:
            write_trace(store, found, index)
    if not running:
        result = SweepResult(succeeded=True, reason=ConditionReason.SEARCH_FINISHED, message="all trials have ended")
        state = SweepState(
            sweep_uid="u", driver_id="d", start_time=at(-5), desired_digest="x", trials=TrialCounts(), result=result
        )
        store.write("result.json", state.model_dump_json(by_alias=True).encode())
    return folder
