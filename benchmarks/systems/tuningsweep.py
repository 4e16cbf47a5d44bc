"""TuningSweep as `make run` runs it: our driver on the Ray that is running, without operator and without tracking."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT
from benchmarks.scale import PARALLEL
from tuningsweep_api.messages import SweepState
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.driver.options import DriverOptions
from tuningsweep_trainer.driver.run import run_sweep

UNIT_INTERVAL = {"name": "x", "parameterType": "double", "feasibleSpace": {"min": "0", "max": "1"}}


@dataclass(frozen=True, slots=True)
class Swept:
    """A sweep that has ended."""

    state: SweepState
    records: list[dict[str, Any]]
    """Lines of trials.jsonl."""


def manifest(trials: int, parallel: int = PARALLEL, **fields: Any) -> dict[str, Any]:
    """A sweep of random search over `x` for short trials; `fields` of the spec replace those here."""
    spec = {
        "objective": {"type": "minimize", "objectiveMetricName": "loss"},
        "parameters": [UNIT_INTERVAL],
        "search": {"algorithmName": "random"},
        "trainable": {"function": "benchmarks.workloads.short:train"},
        "parallelTrialCount": min(parallel, trials),
        "maxTrialCount": trials,
        "tracking": {"enabled": False},
    }
    described = {"apiVersion": "tuningsweep.io/v1alpha1", "kind": "TuningSweep", "metadata": {"name": "bench"}}
    return {**described, "spec": {**spec, **fields}}


def sweep(described: Mapping[str, Any], scratch: Path, **options: Any) -> Swept:
    """Run a sweep; RuntimeError if a trial is missing from its ledger."""
    folder = Path(tempfile.mkdtemp(prefix="sweep-", dir=scratch))
    settings: dict[str, Any] = {
        "preflight": False,
        "handle_signals": False,
        "log_to_driver": False,
        "python_path": [str(ROOT)],
    }
    state = run_sweep(
        TuningSweep.from_manifest(dict(described)), DriverOptions(results=str(folder), **(settings | options))
    )
    records = [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()]
    if len(records) != described["spec"]["maxTrialCount"]:
        raise RuntimeError(f"{len(records)} records of {described['spec']['maxTrialCount']} trials: {state.result}")
    return Swept(state, records)
