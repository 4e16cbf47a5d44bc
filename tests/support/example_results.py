"""A whole results folder of a made-up sweep, with every outcome in it and with text of a user that tries to be markup."""

import json
import math
import random
from pathlib import Path
from typing import Any

from support.results import MIB, at, record, skipped
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

HOSTILE = "<script>alert(1)</script>"
HOSTILE_NAME = "<img src=x onerror=alert(1)>"
"""Text of a user that must only ever be shown."""
SETUP = 1.5
"""Seconds before a trial's first step."""


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


Ending = tuple[Outcome, Reason, int, float | None, float | None]
"""Outcome, reason, steps done, observed and limit."""


def ending(index: int, high: float, step: float, chance: random.Random) -> Ending:
    """How a trial with so high a memory in bytes and so long a step in seconds ends; a few end for other reasons."""
    over = Outcome.LIMIT_EXCEEDED
    rules: list[tuple[bool, Ending]] = [
        (index % 29 == 7, (over, Reason.STEP_TIME_LIMIT_EXCEEDED, 40, 2.01, 2.0)),
        (
            high > 250 * MIB,
            (over, Reason.MEMORY_LIMIT_EXCEEDED, chance.choice((0, 8, 30)), 252.0 * MIB, 250.0 * MIB),
        ),
        (step > 0.1, (over, Reason.MEAN_STEP_TIME_LIMIT_EXCEEDED, 25, step, 0.1)),
        (index % 5 == 3, (Outcome.PRUNED, Reason.PRUNED_BY_SCHEDULER, 150, None, None)),
        (index % 23 == 9, (Outcome.FAILED, Reason.TRAINABLE_ERROR, 12, None, None)),
        (index % 19 == 6, (Outcome.SKIPPED, Reason.PREDICTED_OVER_LIMIT, 0, None, None)),
        (index % 31 == 12, (Outcome.STOPPED, Reason.STOP_REQUESTED, 200, None, None)),
    ]
    trained: Ending = (Outcome.SUCCEEDED, Reason.COMPLETED, 600, None, None)
    return next((found for holds, found in rules if holds), trained)


def example_trial(index: int, chance: random.Random) -> tuple[TrialRecord, TrialTrace | None]:
    """A trial whose memory and step time follow from its parameters, and its trace if it started."""
    width, batch = round(16 * 256 ** chance.random()), chance.choice((32, 128, 512, 2048))
    rate, optimizer = 10 ** chance.uniform(-4, -1), chance.choice(("sgd", "adam", HOSTILE))
    high, step = (90 + 3e-5 * width * batch + width / 40) * MIB, 0.002 + 3e-8 * width * batch
    outcome, reason, steps, observed, limit = ending(index, high, step, chance)
    if outcome is Outcome.SKIPPED:
        return skipped(index), None
    if reason is Reason.MEMORY_LIMIT_EXCEEDED:
        high = 252 * MIB
    hangs = reason is Reason.STEP_TIME_LIMIT_EXCEEDED
    loss = 0.3 + 0.15 * (math.log10(rate) + 2) ** 2 + 2 / width + chance.random() * 0.05 + 40 / (steps + 40)
    duration = SETUP + steps * step + (2 if hangs else 0)
    start = index // 3 * 4.5 + index % 3
    extra = {HOSTILE_NAME: HOSTILE, "image": "https://example.com/a.png"} if index == 5 else {}
    made = record(
        index,
        parameters={"batch_size": batch, "width": width, "learning_rate": rate, "optimizer": optimizer} | extra,
        outcome=outcome,
        reason=reason,
        message=f"why trial {index} ended {HOSTILE}",
        observed=observed,
        limit=limit,
        metrics={"validation_loss": loss, "mean_step_time_seconds": step} if steps > 20 else {},
        steps=steps,
        start_time=at(start),
        completion_time=at(start + duration),
        duration_seconds=duration,
        cpu_seconds=duration * 0.95,
        peak_memory=int(high),
    )
    return made, example_trace(made, step, chance, edited=index >= 20)


def example_trace(made: TrialRecord, step: float, chance: random.Random, *, edited: bool) -> TrialTrace:
    """Looks at a trial that fills its memory before its first step; its last step hangs if that is its reason."""
    recorder, duration = TraceRecorder(), made.duration_seconds
    hangs = made.reason is Reason.STEP_TIME_LIMIT_EXCEEDED
    recorder.limits(0.0, example_limits(edited=edited))
    seconds = 0.0
    while seconds < duration:
        done = min(made.steps, max(0, int((seconds - SETUP) / step)))
        grown = min(1.0, (seconds + 0.1) / SETUP) * made.peak_memory * (0.97 + 0.03 * chance.random())
        waits = hangs and done == made.steps
        in_flight = seconds - SETUP - made.steps * step if waits else step * chance.random()
        mean = step * (0.9 + 0.2 * chance.random()) if done > 10 else None
        recorder.look(TracePoint(seconds, int(grown), done, mean, max(0.0, in_flight), 95.0))
        seconds += max(0.05, duration / 300)
    mean, in_flight = step if made.steps > 10 else None, 2.01 if hangs else 0.0
    recorder.look(TracePoint(duration, made.peak_memory, made.steps, mean, in_flight, 95.0))
    recorder.report(TracedReport(duration, made.steps, made.metrics.get("validation_loss", 1.0)))
    return recorder.trace(
        trial=made.trial,
        parameters=made.parameters,
        start_time=made.start_time or at(0),
        duration=duration,
        outcome=made.outcome,
        reason=made.reason,
    )


def write_results(folder: Path, trials: int, *, running: int = 0, traced: bool = True) -> Path:
    """A results folder of a sweep of so many ended trials; with running ones it has not ended."""
    store, chance = LocalStore(folder), random.Random(7)
    ledger = Ledger(store)
    store.write("sweep.json", json.dumps(example_sweep().dump()).encode())
    edited = desired_state(example_sweep()).model_copy(update={"limits": example_limits(edited=True)})
    DesiredFile(store).write(edited)
    made = [example_trial(index, chance) for index in range(trials + running)]
    for index, (ended, found) in enumerate(made):
        assignment = Assignment(
            trial=ended.trial, parameters=ended.parameters, attempt=1, time=ended.start_time or at(0)
        )
        ledger.assign(assignment)
        if index < trials:
            ledger.record(ended)
        if traced and found is not None:
            write_trace(store, found)
    if not running:
        result = SweepResult(succeeded=True, reason=ConditionReason.SEARCH_FINISHED, message="all trials have ended")
        state = SweepState(
            sweep_uid="u", driver_id="d", start_time=at(-5), desired_digest="x", trials=TrialCounts(), result=result
        )
        store.write("result.json", state.model_dump_json(by_alias=True).encode())
    return folder
