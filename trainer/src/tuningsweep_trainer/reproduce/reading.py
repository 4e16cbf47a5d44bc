"""Reads what `tuningsweep reproduce` measured; called by `pages.write_pages`. Parts that were not run are empty frames."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
from pyarrow import parquet

from tuningsweep_trainer.report.errors import ReportError

TRIALS: Final = (
    "workload",
    "dataset",
    "model",
    "task",
    "stand_in",
    "batch_size",
    "learning_rate",
    "run",
    "trial",
    "outcome",
    "steps",
    "duration_seconds",
    "cpu_seconds",
    "train_loss",
    "validation_loss",
    "accuracy",
    "rmse",
    "mean_step_seconds",
    "memory_bytes",
    "peak_memory_bytes",
    "cpu_percent",
)
SAMPLES: Final = (
    "workload",
    "dataset",
    "task",
    "stand_in",
    "batch_size",
    "learning_rate",
    "run",
    "trial",
    "step",
    "elapsed_seconds",
    "train_loss",
    "validation_loss",
    "accuracy",
    "rmse",
    "mean_step_seconds",
    "cpu_percent",
    "memory_bytes",
)
SAVINGS: Final = (
    "workload",
    "dataset",
    "stand_in",
    "arm",
    "run",
    "memory_limit_bytes",
    "mean_step_limit_seconds",
    "trials",
    "stopped",
    "pruned",
    "skipped",
    "cpu_seconds",
    "best_objective",
    "objective",
    "goal",
)


@dataclass(frozen=True)
class Tidy:
    """The tidy data and what they were measured on; columns are described in `tidy`."""

    trials: pd.DataFrame
    samples: pd.DataFrame
    savings: pd.DataFrame
    machine: dict[str, Any]


def read(results: Path) -> Tidy:
    """The data under results/tidy; ReportError names a file or column that is missing."""
    folder = results / "tidy"
    trials = _frame(folder / "trials.parquet", TRIALS)
    if trials.empty:
        raise ReportError(f"{folder / 'trials.parquet'} holds no trial; run `tuningsweep reproduce` first")
    machine = results / "machine.json"
    return Tidy(
        trials,
        _frame(folder / "samples.parquet", SAMPLES),
        _frame(folder / "savings.parquet", SAVINGS),
        json.loads(machine.read_text(encoding="utf-8")) if machine.exists() else {},
    )


def _frame(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    if not path.exists():
        return pd.DataFrame(columns=list(columns))
    frame: pd.DataFrame = parquet.read_table(path).to_pandas()
    missing = [column for column in columns if column not in frame]
    if missing:
        raise ReportError(f"{path} lacks {', '.join(missing)}; write it again with `tuningsweep reproduce`")
    return frame
