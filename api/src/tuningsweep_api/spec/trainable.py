"""`spec.trainable`: what one trial runs: a built-in scikit-learn workload, a user's function, or a command."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from tuningsweep_api.spec.dataset import Dataset
from tuningsweep_api.spec.rules import Rule, RuledModel, exactly_one


class BuiltinModel(StrEnum):
    """Models trained by scikit-learn's SGD with partial_fit."""

    LINEAR_REGRESSION = "linearRegression"
    PERCEPTRON = "perceptron"
    LOGISTIC_REGRESSION = "logisticRegression"
    LINEAR_SVM = "linearSVM"


class Task(StrEnum):
    """What is predicted."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"


MODELS_OF_TASK: Final[dict[Task, frozenset[BuiltinModel]]] = {
    Task.CLASSIFICATION: frozenset(
        {BuiltinModel.PERCEPTRON, BuiltinModel.LOGISTIC_REGRESSION, BuiltinModel.LINEAR_SVM}
    ),
    Task.REGRESSION: frozenset({BuiltinModel.LINEAR_REGRESSION, BuiltinModel.LINEAR_SVM}),
}

SYSTEM_METRICS: Final = (
    "mean_step_time_seconds",
    "memory_bytes",
    "peak_memory_bytes",
    "cpu_percent",
    "elapsed_seconds",
)
"""Metrics that the supervisor adds to every report of every trainable."""

BUILTIN_METRICS: Final[dict[Task, tuple[str, ...]]] = {
    Task.CLASSIFICATION: ("training_loss", "validation_loss", "accuracy", *SYSTEM_METRICS),
    Task.REGRESSION: ("training_loss", "validation_loss", "rmse", *SYSTEM_METRICS),
}
"""Metrics a built-in workload reports every evaluateEverySteps."""

BUILTIN_PARAMETERS: Final = ("batch_size", "learning_rate", "alpha", "penalty", "l1_ratio", "epsilon")
"""Hyperparameters a built-in workload understands, as `parameters` or `arguments`."""

_BUILTIN_RULES = (
    Rule(
        "self.task == 'classification' ? self.model != 'linearRegression'"
        " : self.model in ['linearRegression', 'linearSVM']",
        "trainable.builtin.model: classification takes perceptron, logisticRegression or linearSVM;"
        " regression takes linearRegression or linearSVM",
        lambda b: b.model in MODELS_OF_TASK[b.task],
    ),
    Rule(
        "self.evaluateEverySteps <= self.steps",
        "trainable.builtin.evaluateEverySteps must not be above trainable.builtin.steps, or no metric is ever reported",
        lambda b: b.evaluate_every_steps <= b.steps,
    ),
)


class BuiltinTrainable(RuledModel):
    """A built-in workload: a linear model trained by mini-batch SGD."""

    RULES = _BUILTIN_RULES

    model: BuiltinModel
    """linearRegression, perceptron, logisticRegression or linearSVM."""
    task: Task
    """classification or regression."""
    dataset: Dataset
    """The rows."""
    steps: int = Field(default=1000, ge=1, le=100_000_000)
    """Steps (mini-batches) of a whole trial."""
    evaluate_every_steps: int = Field(default=100, ge=1)
    """Steps between two evaluations on the validation rows."""
    shuffle: bool = False
    """true draws the rows of every batch at random, which copies them into the trial's memory; false takes slices of
    rows that were shuffled once, without a copy."""
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    """Seed of the split, the order of rows and the model."""


_TRAINABLE_RULES = (
    exactly_one(("builtin", "function", "command"), ("builtin", "function", "command"), "trainable"),
    Rule(
        "!has(self.command) || self.command[0].size() > 0",
        "trainable.command[0] must be the program to run",
        lambda t: t.command is None or t.command[0] != "",
    ),
    Rule(
        "!has(self.preload) || self.preload.size() == 0 || has(self.function)",
        "trainable.preload is for trainable.function: take it out, a built-in workload is imported once already, and a"
        " command starts by itself",
        lambda t: not t.preload or t.function is not None,
    ),
)


class Trainable(RuledModel):
    """What a trial runs."""

    RULES = _TRAINABLE_RULES

    builtin: BuiltinTrainable | None = None
    """A built-in scikit-learn workload."""
    function: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_]*$",
        max_length=256,
    )
    """module:function in the image, called with a trial's parameters; it reports through `tuningsweep.report`."""
    preload: Annotated[
        list[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$", max_length=256)]],
        Field(max_length=32),
    ] = []
    """Modules that are slow to import, e.g. torch, or the function's own: imported once for each trial that runs at a time,
    instead of by every trial. They must not start threads or use a GPU when they are imported."""
    command: Annotated[list[Annotated[str, Field(max_length=4096)]], Field(min_length=1, max_length=64)] | None = None
    """Program and arguments; parameters come as JSON in TUNINGSWEEP_PARAMETERS, metrics go out as JSON lines."""
    arguments: Annotated[dict[str, Annotated[str, Field(max_length=1024)]], Field(max_length=64)] = {}
    """Fixed values handed over with the parameters of every trial, e.g. alpha: "0.001"."""
