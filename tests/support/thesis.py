"""The thesis' workloads from their manifests, and a small sweep of one on record, for tests of the reproduction."""

import json
from pathlib import Path
from typing import Any

import yaml

from support.sweeps import edited
from support.trials import MIB, record
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.results.ledger import Ledger
from tuningsweep_trainer.results.store import LocalStore
from tuningsweep_trainer.results.traces import TracedReport, TracePoint, TrialTrace, write_trace

MANIFESTS = Path(__file__).parents[2] / "manifests" / "samples" / "thesis"


def _manifest(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((MANIFESTS / f"{name}.yaml").read_text()))


def thesis_sweep(name: str) -> TuningSweep:
    """One of the seven."""
    return TuningSweep.from_manifest(_manifest(name))


def thesis_sweeps() -> list[TuningSweep]:
    """All of them."""
    return [thesis_sweep(path.stem) for path in sorted(MANIFESTS.glob("*.yaml"))]


def manifest_of(workload: str, server: str, steps: int, evaluate_every: int) -> dict[str, Any]:
    """A workload's manifest with what its user may want otherwise: an OpenML server, fewer steps."""
    changes = {"dataset.openml.server": server, "steps": steps, "evaluateEverySteps": evaluate_every}
    return edited(_manifest(workload), {f"spec.trainable.builtin.{path}": value for path, value in changes.items()})


def trace(trial: str, steps: int = 20) -> TrialTrace:
    """A step takes a tenth of a second, the first one half; memory is level from the third on; two evaluations."""
    points = [
        TracePoint(
            seconds=0.1 * step + 0.4,
            memory=(100 if step < 3 else 200) * MIB,
            steps=step,
            mean_step_time=0.1,
            step_in_flight=0.0,
            cpu_percent=95.0,
            step_seconds=0.5 + 0.1 * (step - 1),
        )
        for step in range(1, steps + 1)
    ]
    reports = [
        TracedReport(1.4, 10, 0.5, {"training_loss": 0.9, "validation_loss": 0.8, "memory_bytes": 200.0 * MIB}),
        TracedReport(2.4, 20, 0.75, {"training_loss": 0.7, "validation_loss": 0.6, "memory_bytes": 200.0 * MIB}),
    ]
    return TrialTrace(
        trial=trial, start_time="2026-01-02T03:00:00.000Z", duration_seconds=2.4, points=points, reports=reports
    )


def write_ended(folder: Path, sweep: TuningSweep) -> None:
    """A sweep of two trials that has ended: the second is the better one."""
    store = LocalStore(folder)
    store.write("sweep.json", json.dumps(sweep.dump()).encode())
    for trial, accuracy in (("trial-0000", 0.5), ("trial-0001", 0.75)):
        metrics = {"accuracy": accuracy, "training_loss": 0.7, "mean_step_time_seconds": 0.1}
        ended = record(trial, metrics=metrics, steps=20, durationSeconds=2.4, cpuSeconds=2.0)
        Ledger(store).record(ended)
        write_trace(store, trace(trial))
        lines = {"first_step": 1, "training_loss": [1.0 - 0.01 * step for step in range(20)]}
        store.write(f"logs/{trial}.log", json.dumps(lines).encode() + b"\n")
    store.write("result.json", b"{}")
