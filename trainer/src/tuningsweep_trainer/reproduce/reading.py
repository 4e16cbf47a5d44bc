"""Reads what `tuningsweep reproduce` measured; called by `pages.write_pages`. Parts that were not run are empty frames."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from tuningsweep_trainer.report.errors import ReportError
from tuningsweep_trainer.reproduce.tidy import SAMPLES, SAVINGS, TRIALS


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


def _frame(path: Path, schema: pa.Schema) -> pd.DataFrame:
    if not path.exists():
        empty: pd.DataFrame = schema.empty_table().to_pandas()
        return empty
    frame: pd.DataFrame = parquet.read_table(path).to_pandas()
    missing = [column for column in schema.names if column not in frame]
    if missing:
        raise ReportError(f"{path} lacks {', '.join(missing)}; write it again with `tuningsweep reproduce`")
    return frame
