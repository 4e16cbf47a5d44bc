"""`make bench`: measure all figures (or those of BENCH), write results.json and results.md, print the table."""

import argparse
import json
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT, versions
from benchmarks.registry import Figure, chosen
from benchmarks.runner import measure
from benchmarks.tables import markdown
from tuningsweep_trainer.machine import machine

COMMITTED = ROOT / "benchmarks"
PARTIAL = ROOT / "build" / "benchmarks"
"""Where a run of some figures, or a smoke test, is written: the committed results are of one whole run."""


def main() -> int:
    """Run; the exit code is 0 if every figure could be measured, whatever the goals say."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("figures", nargs="?", default="", help="comma-separated names; all by default")
    parser.add_argument("--quick", action="store_true", help="smoke test: tiny sizes, meaningless values")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="folder for results.json and results.md")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the figure's process is ended too
    try:
        figures = chosen(options.figures)
    except ValueError as error:
        parser.error(str(error))
    whole = not options.quick and not options.figures
    folder = options.out or (COMMITTED if whole else PARTIAL)
    run = run_all(figures, quick=options.quick, seed=options.seed, folder=folder)
    print(markdown(run))
    print(f"written to {folder}", file=sys.stderr)
    return 1 if run["failed"] else 0


def run_all(figures: list[Figure], *, quick: bool, seed: int, folder: Path) -> dict[str, Any]:
    """Measure figures; results are written after each, so that a run cut short keeps what it has."""
    folder.mkdir(parents=True, exist_ok=True)
    date = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    run: dict[str, Any] = {"date": date, "seed": seed, "quick": quick, "machine": machine(), "versions": versions()}
    run |= {"figures": [], "failed": []}
    for figure in figures:
        print(f"measuring {figure.name}: {figure.title}", file=sys.stderr, flush=True)
        measured = measure(figure, quick=quick, seed=seed)
        run["figures"] += measured.rows
        if measured.error is not None:
            print(f"{figure.name} failed: {measured.error}", file=sys.stderr, flush=True)
            run["failed"].append({"figure": figure.name, "error": measured.error})
        (folder / "results.json").write_text(json.dumps(run, indent=1) + "\n")
        (folder / "results.md").write_text(markdown(run))
    return run


if __name__ == "__main__":
    sys.exit(main())
