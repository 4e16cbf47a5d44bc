"""The thesis' workloads as the reproduction varies them: seed, steps, data. Pure functions of ordinary sweeps.

The sweeps come from manifests/samples/thesis; nothing about a workload is written anywhere else.
"""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from tuningsweep_api.spec.dataset import Dataset, DatasetFile, GeneratedDataset
from tuningsweep_api.spec.storage import Tracking
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.spec.trainable import BuiltinModel, BuiltinTrainable, Task

SEEDS: Final = (1, 2, 3)
"""Of the three runs of every configuration: split, order of rows and model differ."""
QUICK_STEPS: Final = 60
QUICK_EVALUATIONS: Final = 3
MNIST, WAVE_ENERGY = 554, 44975
DATASETS: Final = {MNIST: "mnist_784", 37: "diabetes", 44972: "red_wine", WAVE_ENERGY: "wave_energy"}
"""Names of the thesis' data sets by OpenML id."""
WAVE_ENERGY_STAND_IN: Final = "wave_energy_synthetic"
_QUICK_SHAPES: Final = {MNIST: (2_000, 64, 10), 37: (768, 8, 2), 44972: (1_599, 11, 2), WAVE_ENERGY: (2_000, 32, 2)}
"""Rows, features and classes of what --quick trains on instead."""
_MODELS: Final = {
    (BuiltinModel.LINEAR_SVM, Task.CLASSIFICATION): "linear-svm",
    (BuiltinModel.PERCEPTRON, Task.CLASSIFICATION): "perceptron",
    (BuiltinModel.LOGISTIC_REGRESSION, Task.CLASSIFICATION): "logistic-regression",
    (BuiltinModel.LINEAR_SVM, Task.REGRESSION): "svm-regression",
    (BuiltinModel.LINEAR_REGRESSION, Task.REGRESSION): "linear-regression",
}


@dataclass(frozen=True, slots=True)
class Labels:
    """What a sweep is called in tables and figures."""

    workload: str
    dataset: str
    model: str
    task: str
    stand_in: bool
    """Whether the rows are made up: figures must say so."""


def labels(sweep: TuningSweep) -> Labels:
    """Of a sweep of a built-in workload; ValueError for another one."""
    spec = builtin_of(sweep)
    dataset = spec.dataset
    if dataset.openml is not None:
        called = DATASETS.get(dataset.openml.id or 0, dataset.openml.name or f"openml_{dataset.openml.id}")
    elif dataset.file is not None:
        called = PurePosixPath(dataset.file.location).stem
    elif dataset.generated is not None:
        called = f"generated_{dataset.generated.rows}x{dataset.generated.features}"
    else:
        called = str(dataset.bundled)
    stand_in = dataset.openml is None
    return Labels(sweep.metadata.name, called, _MODELS[spec.model, spec.task], spec.task.value, stand_in)


def builtin_of(sweep: TuningSweep) -> BuiltinTrainable:
    """The sweep's built-in workload; ValueError says what to write if it has none."""
    found = sweep.spec.trainable.builtin
    if found is None:
        raise ValueError(
            f"{sweep.metadata.name}: spec.trainable.builtin is missing; give manifests of built-in workloads"
        )
    return found


def openml_id(sweep: TuningSweep) -> int | None:
    """Id of the data set on OpenML, if it comes from there."""
    openml = builtin_of(sweep).dataset.openml
    return None if openml is None else openml.id


def with_spec(sweep: TuningSweep, **fields: Any) -> TuningSweep:
    """The sweep with other fields of the spec."""
    return sweep.model_copy(update={"spec": sweep.spec.model_copy(update=fields)})


def with_builtin(sweep: TuningSweep, **fields: Any) -> TuningSweep:
    """The sweep with other fields of its built-in workload."""
    changed = builtin_of(sweep).model_copy(update=fields)
    return with_spec(sweep, trainable=sweep.spec.trainable.model_copy(update={"builtin": changed}))


def with_steps(sweep: TuningSweep, steps: int) -> TuningSweep:
    """The sweep with so many steps a trial, and at least one evaluation."""
    return with_builtin(sweep, steps=steps, evaluate_every_steps=min(steps, builtin_of(sweep).evaluate_every_steps))


def of_run(sweep: TuningSweep, run: int) -> TuningSweep:
    """One of the runs, numbered from 1: mean step times are over the steps between two evaluations.

    Without tracking, which would take the cores from what is measured.
    """
    window = sweep.spec.limits.model_copy(update={"window_steps": builtin_of(sweep).evaluate_every_steps})
    return with_spec(with_builtin(sweep, seed=SEEDS[run - 1]), limits=window, tracking=Tracking(enabled=False))


def from_server(sweep: TuningSweep, server: str) -> TuningSweep:
    """The sweep with its data from another OpenML API; as it is if its data is not from one."""
    dataset = builtin_of(sweep).dataset
    if dataset.openml is None:
        return sweep
    openml = dataset.openml.model_copy(update={"server": server})
    return with_builtin(sweep, dataset=dataset.model_copy(update={"openml": openml}))


def from_file(sweep: TuningSweep, location: str) -> TuningSweep:
    """The sweep with the stand-in's file in place of wave energy; columns it has not are not dropped."""
    dataset = builtin_of(sweep).dataset
    stand_in = Dataset(file=DatasetFile(location=location), target=dataset.target)
    return with_builtin(sweep, dataset=stand_in)


def quick(sweep: TuningSweep) -> TuningSweep:
    """The sweep in seconds: few steps on generated rows of a like shape."""
    shape = _QUICK_SHAPES.get(openml_id(sweep) or 0)
    if shape is None:
        return sweep
    rows, features, classes = shape
    dataset = Dataset(generated=GeneratedDataset(rows=rows, features=features, classes=classes))
    every = QUICK_STEPS // QUICK_EVALUATIONS
    return with_builtin(sweep, dataset=dataset, steps=QUICK_STEPS, evaluate_every_steps=every)
