"""The thesis grid: a built-in workload over four batch sizes and four learning rates, also outside our supervisor."""

import itertools
from typing import Any

BATCHES = (30, 300, 3000, 30_000)
RATES = (0.1, 0.01, 0.001, 0.0001)
GRID: list[dict[str, float]] = [
    {"batch_size": batch, "learning_rate": rate} for batch, rate in itertools.product(BATCHES, RATES)
]


def grid_parameters() -> list[dict[str, Any]]:
    """`spec.parameters` of the grid."""
    return [_listed("batch_size", BATCHES), _listed("learning_rate", RATES)]


def _listed(name: str, values: tuple[float, ...]) -> dict[str, Any]:
    texts = [f"{value:.10f}".rstrip("0").rstrip(".") for value in values]
    return {"name": name, "parameterType": "discrete", "feasibleSpace": {"list": texts}}


def builtin(model: str, task: str, dataset: dict[str, Any], steps: int, *, evaluations: int = 1) -> dict[str, Any]:
    """`spec.trainable.builtin`, evaluated so many times, with batches drawn at random as in the thesis."""
    every = max(1, steps // evaluations)
    fields = {"model": model, "task": task, "dataset": dataset, "steps": steps, "evaluateEverySteps": every}
    return {**fields, "shuffle": True}


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
