"""Trials and a results folder for tests of the command line."""

import json
from pathlib import Path
from typing import Any

from support.sweeps import BASE
from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_api.spec.limits import Limits
from tuningsweep_api.trials import TrialRecord
from tuningsweep_trainer.results.ledger import Assignment, Ledger
from tuningsweep_trainer.results.store import LocalStore
from tuningsweep_trainer.results.traces import TracedReport, TracePoint, TraceRecorder, TrialTrace, write_trace

MIB = 2**20


def record(trial: str, **fields: Any) -> TrialRecord:
    """A trial that succeeded, with edits."""
    base = {
        "trial": trial,
        "parameters": {"batch_size": 30, "learning_rate": 0.01},
        "outcome": "Succeeded",
        "reason": "Completed",
        "completionTime": "2026-01-02T03:01:00Z",
        "metrics": {"validation_loss": 0.25},
        "peakMemory": 200 * MIB,
    }
    return TrialRecord.model_validate({**base, **fields})


OVER = record(
    "trial-0001",
    parameters={"batch_size": 300, "learning_rate": 0.001},
    outcome="LimitExceeded",
    reason="MemoryLimitExceeded",
    observed=500.0 * MIB,
    limit=400.0 * MIB,
    message="memory 500.0Mi is over limits.memory 400.0Mi",
    metrics={},
    peakMemory=500 * MIB,
    durationSeconds=12.5,
)
BEST = record("trial-0002", metrics={"validation_loss": 0.125})
RECORDS = [record("trial-0000"), OVER, BEST]


def trace_of_over() -> TrialTrace:
    """Memory climbs to 500 MiB; the limit was 600 MiB until second 1, then 400 MiB."""
    recorder = TraceRecorder()
    recorder.limits(0.0, Limits(memory="600Mi"))
    for look in range(400):
        second = look * 0.01
        if look == 100:
            recorder.limits(second, Limits(memory="400Mi"))
        recorder.look(TracePoint(second, (100 + look) * MIB, look, None, 0.001 * (look % 5), 90.0))
    recorder.report(TracedReport(0.5, 1, 0.3))
    return recorder.trace(
        trial=OVER.trial,
        parameters=OVER.parameters,
        start_time="2026-01-02T03:00:00Z",
        duration=4.0,
        outcome=Outcome.LIMIT_EXCEEDED,
        reason=Reason.MEMORY_LIMIT_EXCEEDED,
    )


def make_results(folder: Path) -> Path:
    """Results of an unfinished run of the base sweep: three trials ended, one runs, one waits."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sweep.json").write_text(json.dumps(BASE))
    store = LocalStore(folder)
    ledger = Ledger(store)
    for ended in RECORDS:
        ledger.assign(Assignment(trial=ended.trial, parameters=ended.parameters, attempt=1, time="t"))
        ledger.record(ended)
    ledger.assign(Assignment(trial="trial-0003", parameters={"batch_size": 30}, attempt=1, time="2026-01-02T03:02:00Z"))
    ledger.assign(Assignment(trial="trial-0004", parameters={"batch_size": 300}, time="t"))
    write_trace(store, trace_of_over())
    return folder
