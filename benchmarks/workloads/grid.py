"""The thesis' workloads, read from their manifests, and a built-in workload trained outside our supervisor."""

from pathlib import Path
from typing import Any

import yaml

from benchmarks.machine import ROOT
from tuningsweep_api.spec.sweep import TuningSweep

MANIFESTS = ROOT / "manifests" / "samples" / "thesis"


def thesis_sweeps() -> list[TuningSweep]:
    """The seven workloads in the order of their names."""
    return [_read(path) for path in sorted(MANIFESTS.glob("*.yaml"))]


def thesis_sweep(name: str) -> TuningSweep:
    """One of them."""
    return _read(MANIFESTS / f"{name}.yaml")


def _read(path: Path) -> TuningSweep:
    return TuningSweep.from_manifest(yaml.safe_load(path.read_text()))


def plain_train(job: tuple[dict[str, float], dict[str, Any], dict[str, Any]]) -> None:
    """Train as our training process does, with nobody who supervises: parameters, workload, prepared data set."""
    from tuningsweep_api.spec.trainable import BuiltinTrainable
    from tuningsweep_trainer.datasets.store import PreparedRef, attach
    from tuningsweep_trainer.workloads.builtin import train

    parameters, spec, reference = job
    arrays = attach(PreparedRef.model_validate(reference))
    train(dict(parameters), None, spec=BuiltinTrainable.model_validate(spec), arrays=arrays)


def tune_train(config: dict[str, Any]) -> None:
    """The same as a function trainable of bare Tune; one report at the end, as with one evaluation of ours."""
    from ray import tune

    plain_train((config["parameters"], config["spec"], config["reference"]))
    tune.report({"loss": 1.0})
