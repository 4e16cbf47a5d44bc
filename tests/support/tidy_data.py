"""Tidy data of a reproduction with known answers: trials, samples and savings as `tuningsweep reproduce` writes them."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from tuningsweep_trainer.reproduce.reading import Tidy
from tuningsweep_trainer.reproduce.tidy import SAVINGS

MIB = 1 << 20
BATCHES = (30, 300, 3000, 30000)
RATES = (0.0001, 0.001, 0.01, 0.1)
RUNS = (1, 2, 3)
STEPS = 200
WORKLOADS: dict[str, tuple[str, str, str]] = {
    "mnist-svm": ("mnist_784", "linear-svm", "classification"),
    "mnist-perceptron": ("mnist_784", "perceptron", "classification"),
    "diabetes-svm": ("diabetes", "linear-svm", "classification"),
    "diabetes-perceptron": ("diabetes", "perceptron", "classification"),
    "diabetes-logistic-regression": ("diabetes", "logistic-regression", "classification"),
    "wine-svm": ("red_wine", "svm-regression", "regression"),
    "wave-energy-svm": ("wave_energy_synthetic", "svm-regression", "regression"),
}
"""Data set, model and task by workload; the last one is a stand-in."""

Row = dict[str, Any]
Change = Callable[[Row], Row]


def trials(*workloads: str, change: Change = lambda row: {}) -> pd.DataFrame:
    """48 trials of each workload that differ from run to run by 0.1 %, with what `change` makes of a row."""
    rows = []
    for workload, run, (batch_size, rate) in itertools.product(workloads, RUNS, itertools.product(BATCHES, RATES)):
        row = identity(workload, batch_size, rate, run) | ending(run)
        if row["task"] == "regression":
            row |= {"accuracy": None, "rmse": 2.0}
        rows.append(row | change(row))
    frame = pd.DataFrame(rows)
    numbers = ["train_loss", "validation_loss", "accuracy", "rmse", "mean_step_seconds", "memory_bytes", "cpu_percent"]
    return frame.astype(dict.fromkeys(numbers, float))


def identity(workload: str, batch_size: int, rate: float, run: int) -> Row:
    """What a row of trials or samples is about."""
    dataset, model, task = WORKLOADS[workload]
    index = BATCHES.index(batch_size) * len(RATES) + RATES.index(rate)
    return {
        "workload": workload,
        "dataset": dataset,
        "model": model,
        "task": task,
        "stand_in": "synthetic" in dataset,
        "batch_size": batch_size,
        "learning_rate": rate,
        "run": run,
        "trial": f"trial-{index:04d}",
    }


def ending(run: int) -> Row:
    """How a trial ended."""
    noise = 1 + 0.001 * (run - 2)
    return {
        "outcome": "Succeeded",
        "reason": "Completed",
        "steps": STEPS,
        "duration_seconds": 2.0 * noise,
        "cpu_seconds": 2.0 * noise,
        "train_loss": 0.4 * noise,
        "validation_loss": 0.5 * noise,
        "accuracy": 0.9 * noise,
        "rmse": None,
        "mean_step_seconds": 0.01 * noise,
        "memory_bytes": 200 * MIB * noise,
        "peak_memory_bytes": 210 * MIB * noise,
        "cpu_percent": 99.0 * noise,
    }


def samples(of: pd.DataFrame, course: Callable[[Row, np.ndarray], Row] = lambda row, share: {}) -> pd.DataFrame:
    """21 samples of each trial, level from the first; `course` gives other columns over the share of the run that is done."""
    share = np.linspace(0, 1, 21)
    frames = []
    for row in of.to_dict("records"):
        keys = ("workload", "dataset", "model", "task", "stand_in", "batch_size", "learning_rate", "run", "trial")
        level = (
            "train_loss",
            "validation_loss",
            "accuracy",
            "rmse",
            "mean_step_seconds",
            "cpu_percent",
            "memory_bytes",
        )
        columns = {key: row[key] for key in (*keys, *level)}
        columns |= {"step": (share * STEPS).astype(int), "elapsed_seconds": share * row["duration_seconds"]}
        frames.append(pd.DataFrame(columns | course(row, share)))
    return pd.concat(frames, ignore_index=True)


def sweep(arm: str, run: int = 1, workload: str = "mnist-svm", **changes: Any) -> Row:
    """A row of savings: 16 trials that took 100 CPU seconds to an accuracy of 0.9."""
    dataset = WORKLOADS[workload][0]
    return {
        "workload": workload,
        "dataset": dataset,
        "stand_in": "synthetic" in dataset,
        "arm": arm,
        "run": run,
        "memory_limit_bytes": None,
        "mean_step_limit_seconds": None,
        "trials": 16,
        "stopped": 0,
        "pruned": 0,
        "skipped": 0,
        "falsely_skipped": 0,
        "cpu_seconds": 100.0,
        "best_objective": 0.9,
        "best_batch_size": 300.0,
        "best_learning_rate": 0.01,
        "objective": "accuracy",
        "goal": "maximize",
    } | changes


def tidy(of: pd.DataFrame, sampled: pd.DataFrame | None = None, *sweeps: Row) -> Tidy:
    """Frames together; without samples or sweeps these are empty."""
    empty = samples(of.head(1)).head(0)
    savings = pd.DataFrame(list(sweeps)) if sweeps else SAVINGS.empty_table().to_pandas()
    return Tidy(of, empty if sampled is None else sampled, savings, {"machine": "2 cores", "seeds": [1, 2, 3]})


def write(data: Tidy, results: Path) -> Path:
    """The data as files under `results`; the folder."""
    folder = results / "tidy"
    folder.mkdir(parents=True)
    for name in ("trials", "samples", "savings"):
        table = pa.Table.from_pandas(getattr(data, name), preserve_index=False)
        parquet.write_table(table, folder / f"{name}.parquet")
    (results / "machine.json").write_text(json.dumps(data.machine))
    return results
