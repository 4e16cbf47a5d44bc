"""Measures each figure in a process of its own, so that their Rays don't meet; one that fails is reported, the rest go on.

`python -m benchmarks.runner NAME SCALE` is that process: it writes its rows as JSON to standard output's last line.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT
from benchmarks.registry import Figure
from benchmarks.rows import Row
from benchmarks.scale import Scale

ERROR_CHARACTERS = 4000


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of a figure: rows as in results.json, or why there are none."""

    figure: str
    rows: list[dict[str, Any]]
    error: str | None = None


def measure(figure: Figure, *, quick: bool, seed: int) -> Measured:
    """Measure one figure in a child process; never raises for what the figure does."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        outcome = Path(folder) / "outcome.json"
        command = [sys.executable, "-m", "benchmarks.runner", figure.name, str(seed), str(int(quick)), folder]
        # Workers that Ray starts import the trials' code from the checkout too.
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        load = round(os.getloadavg()[0], 2)
        child = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=sys.stderr, start_new_session=True)
        try:
            status = child.wait(figure.timeout_seconds)
        except subprocess.TimeoutExpired:
            return Measured(figure.name, [], f"not done within {figure.timeout_seconds} s")
        finally:
            _end(child)
        if not outcome.is_file():
            return Measured(figure.name, [], f"its process ended with status {status} and said nothing")
        said = json.loads(outcome.read_text())
        rows = [{**row, "detail": {**row["detail"], "load_before": load}} for row in said["rows"]]
        return Measured(figure.name, rows, said["error"])


def _end(child: "subprocess.Popen[bytes]") -> None:
    """End what the child started and left behind; its session is its own."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        child.wait()


def _measure_here(name: str, scale: Scale) -> dict[str, Any]:
    started = time.monotonic()
    try:
        rows: list[Row] = importlib.import_module(f"benchmarks.figures.{name}").measure(scale)
    except Exception as error:  # noqa: BLE001 - whatever fails is put on record
        traceback.print_exc()
        summary = "".join(traceback.format_exception_only(error)).strip()
        return {"rows": [], "error": summary[:ERROR_CHARACTERS]}
    took = round(time.monotonic() - started, 1)
    return {
        "rows": [{**(dumped := row.dump()), "detail": {**dumped["detail"], "seconds": took}} for row in rows],
        "error": None,
    }


def main(arguments: list[str]) -> None:
    """Measure the named figure and write what came of it to FOLDER/outcome.json."""
    name, seed, quick, folder = arguments
    scratch = Path(folder) / "scratch"
    scratch.mkdir()
    outcome = _measure_here(name, Scale(quick=quick == "1", seed=int(seed), scratch=scratch))
    (Path(folder) / "outcome.json").write_text(json.dumps(outcome))


if __name__ == "__main__":
    main(sys.argv[1:])
