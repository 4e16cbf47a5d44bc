"""What was reached: accuracy on MNIST, and SVM beside perceptron. Pure.

The thesis's own figures are not at hand, so these are measured and left for comparison: they neither agree nor disagree.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from tuningsweep_trainer.reproduce.averages import label
from tuningsweep_trainer.reproduce.claims.claim import Claim, Statement, not_measured
from tuningsweep_trainer.reproduce.effects import usable
from tuningsweep_trainer.reproduce.intervals import geometric, t_interval
from tuningsweep_trainer.reproduce.quantities import MEAN_STEP_TIME, MEMORY, Quantity
from tuningsweep_trainer.reproduce.reading import Tidy

NOTHING_TO_COMPARE: Final = "no figure of the thesis at hand"
SVM, PERCEPTRON = "linear-svm", "perceptron"

MNIST_ACCURACY: Final = Statement(
    "mnist-accuracy",
    "Accuracy on MNIST",
    "validation accuracy of the best configuration, mean over the runs",
    NOTHING_TO_COMPARE,
    "%",
)
MODELS_ACCURACY: Final = Statement(
    "svm-perceptron-accuracy",
    "Linear SVM and perceptron differ in accuracy",
    "accuracy of the SVM's best configuration less that of the perceptron's, by run",
    NOTHING_TO_COMPARE,
    "percentage points",
)


def models_statement(quantity: Quantity) -> Statement:
    """SVM beside perceptron in a system metric."""
    return Statement(
        f"svm-perceptron-{quantity.title.replace(' ', '-')}",
        f"Linear SVM and perceptron differ in {quantity.title}",
        f"{quantity.title} of the SVM over that of the perceptron, over the configurations of a run",
        NOTHING_TO_COMPARE,
        "ratio",
    )


def mnist_accuracy(tidy: Tidy) -> list[Claim]:
    """The best configuration of each workload on MNIST."""
    trials = tidy.trials[tidy.trials["dataset"].str.lower().str.startswith("mnist") & tidy.trials["accuracy"].notna()]
    if trials.empty:
        return [not_measured(MNIST_ACCURACY, "no trial on MNIST")]
    found = []
    for workload, rows in trials.groupby("workload"):
        (batch_size, rate), of_runs = _best(rows)
        name = label(str(workload), stand_in=bool(rows["stand_in"].iloc[0]))
        note = f"batch size {batch_size:,}, learning rate {rate:g}; {NOTHING_TO_COMPARE}"
        found.append(Claim(MNIST_ACCURACY, name, of_runs.mean(), t_interval(list(of_runs)), len(rows), None, note))
    return found


def models(tidy: Tidy) -> list[Claim]:
    """Accuracy, step time and memory of the SVM beside the perceptron's, by data set."""
    found: list[Claim] = []
    for dataset, rows in tidy.trials[tidy.trials["task"] == "classification"].groupby("dataset"):
        pair = {name: rows[rows["model"] == name] for name in (SVM, PERCEPTRON)}
        if all(len(part) for part in pair.values()):
            name = label(str(dataset), stand_in=bool(rows["stand_in"].any()))
            found += [_accuracies(pair, name), *(_ratio(pair, name, metric) for metric in (MEAN_STEP_TIME, MEMORY))]
    statements = (MODELS_ACCURACY, models_statement(MEAN_STEP_TIME), models_statement(MEMORY))
    return found or [not_measured(statement, "no data set was run with both models") for statement in statements]


def _best(rows: pd.DataFrame) -> tuple[tuple[int, float], "pd.Series[float]"]:
    """The configuration with the best mean accuracy, and its accuracy in % by run."""
    keys = ["batch_size", "learning_rate"]
    chosen = rows.groupby(keys)["accuracy"].mean().idxmax()
    assert isinstance(chosen, tuple)
    batch_size, rate = int(chosen[0]), float(chosen[1])
    best = rows[(rows["batch_size"] == batch_size) & (rows["learning_rate"] == rate)]
    return (batch_size, rate), best.groupby("run")["accuracy"].mean() * 100


def _accuracies(pair: Mapping[str, pd.DataFrame], dataset: str) -> Claim:
    known = {name: rows[rows["accuracy"].notna()] for name, rows in pair.items()}
    if any(rows.empty for rows in known.values()):
        return not_measured(MODELS_ACCURACY, "no accuracy is known of one of them", dataset)
    of_runs = {name: _best(rows)[1] for name, rows in known.items()}
    differences = (of_runs[SVM] - of_runs[PERCEPTRON]).dropna()
    count = sum(map(len, known.values()))
    note = f"SVM {of_runs[SVM].mean():.2f} %, perceptron {of_runs[PERCEPTRON].mean():.2f} %; {NOTHING_TO_COMPARE}"
    return Claim(MODELS_ACCURACY, dataset, float(differences.mean()), t_interval(list(differences)), count, None, note)


def _ratio(pair: Mapping[str, pd.DataFrame], dataset: str, quantity: Quantity) -> Claim:
    statement = models_statement(quantity)
    keys = ["run", "batch_size", "learning_rate"]
    both = usable(pair[SVM], quantity).merge(usable(pair[PERCEPTRON], quantity), on=keys)
    if both.empty:
        return not_measured(statement, f"no configuration of both has its {quantity.title} known", dataset)
    of_runs = (both["value_x"] - both["value_y"]).groupby(both["run"]).mean()
    ratio, interval = geometric(list(np.exp(of_runs)))
    return Claim(statement, dataset, ratio, interval, 2 * len(both), None, NOTHING_TO_COMPARE)
