"""From the results of all sweeps to tidy data: RESULTS/tidy/*.parquet. Called at the end of a reproduction, or alone.

Everything a table says comes from the sweeps' own records, traces and logs, so that it can be made again at any time.
"""

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tuningsweep_api.names import RESULT_KEY
from tuningsweep_trainer.report.gather import gather
from tuningsweep_trainer.reproduce.arms import Arm
from tuningsweep_trainer.reproduce.settling import findings
from tuningsweep_trainer.reproduce.tidy import (
    SAMPLES,
    SAVINGS,
    TRIALS,
    Evidence,
    Row,
    sample_rows,
    savings_row,
    trial_rows,
)
from tuningsweep_trainer.results.store import LocalStore
from tuningsweep_trainer.tracking.losses import parse

TIDY: Final = "tidy"
RUNS: Final = "runs"
FINDINGS_FILE: Final = "findings.json"
"""What the data say of defaults; see `settling`."""


def sweep_folder(results: Path, workload: str, arm: Arm, run: int) -> Path:
    """Where a sweep's results are."""
    return results / RUNS / workload / arm.value / f"run-{run}"


def collect(results: Path) -> Path:
    """Write the tables and the findings from the sweeps that have ended; the folder of the tables.

    What is not there yet has no rows.
    """
    folder = results / TIDY
    beside = results / f".{TIDY}"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    ended = list(_ended(results))
    unlimited = [evidence for arm, evidence in ended if arm is Arm.NONE]
    _write(beside / "trials.parquet", TRIALS, map(trial_rows, unlimited))
    _write(beside / "samples.parquet", SAMPLES, map(sample_rows, unlimited))
    _write(beside / "savings.parquet", SAVINGS, [_savings_rows(ended)])
    folder.mkdir(exist_ok=True)
    for file in beside.iterdir():
        file.replace(folder / file.name)
    beside.rmdir()
    found = findings(pd.read_parquet(folder / "samples.parquet"))
    LocalStore(results).write(FINDINGS_FILE, json.dumps(found, indent=1).encode())
    return folder


def _savings_rows(ended: Sequence[tuple[Arm, Evidence]]) -> Iterator[Row]:
    without = {(found.sweep.metadata.name, found.run): found.records for arm, found in ended if arm is Arm.NONE}
    for arm, found in ended:
        yield savings_row(found, arm, without.get((found.sweep.metadata.name, found.run), ()))


def evidence_of(folder: Path, run: int) -> Evidence:
    """What the sweep in a folder left on record."""
    found = gather(str(folder), datetime.now(UTC))
    losses = {record.trial: _losses(folder / "logs" / f"{record.trial}.log") for record in found.records}
    return Evidence(found.sweep, run, found.records, found.traces, losses)


def _losses(path: Path) -> list[tuple[int, float]]:
    try:
        with path.open("rb") as lines:
            return parse(lines)
    except FileNotFoundError:  # a trial that was never started
        return []


def _ended(results: Path) -> Iterator[tuple[Arm, Evidence]]:
    """Every sweep that has ended, in the order of workload, arm and run."""
    for file in sorted((results / RUNS).glob(f"*/*/run-*/{RESULT_KEY}")):
        folder = file.parent
        yield Arm(folder.parent.name), evidence_of(folder, int(folder.name.removeprefix("run-")))


def _write(path: Path, schema: pa.Schema, parts: Iterable[Iterable[Row]]) -> None:
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for rows in parts:
            writer.write_table(pa.Table.from_pylist(list(rows), schema=schema))
