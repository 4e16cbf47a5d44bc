"""`make bench`: measure all figures (or those of BENCH), write results.json and results.md, print the table."""

import argparse
import json
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT, versions
from benchmarks.record import merged, refusal, stamped
from benchmarks.registry import FIGURES, Figure, chosen
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
    parser.add_argument(
        "--record", action="store_true", help="put the figures into the committed results, the rest stays"
    )
    parser.add_argument("--out", type=Path, help="folder for results.json and results.md")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the figure's process is ended too
    try:
        figures = chosen(options.figures)
    except ValueError as error:
        parser.error(str(error))
    if options.record and options.quick:
        parser.error("a smoke test is not for the record: --record or --quick, not both")
    whole = not options.quick and not options.figures
    folder = options.out or (COMMITTED if whole else PARTIAL)
    run = begun(quick=options.quick, seed=options.seed)
    if options.record and (refused := refusal(on_record(), run)):
        parser.error(refused)
    run_all(figures, run, folder=folder)
    print(markdown(run))
    print(f"written to {folder}", file=sys.stderr)
    if options.record:
        write(merged(on_record(), run, [figure.name for figure in FIGURES]), COMMITTED)
    return 1 if run["failed"] else 0


def begun(*, quick: bool, seed: int) -> dict[str, Any]:
    """A run of which nothing is measured yet: when, of what and on which machine."""
    date = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    run: dict[str, Any] = {"date": date, "seed": seed, "quick": quick, "machine": machine(), "versions": versions()}
    return {**run, "figures": [], "failed": []}


def run_all(figures: list[Figure], run: dict[str, Any], *, folder: Path) -> None:
    """Measure figures into `run`; it is written after each, so that a run cut short keeps what it has."""
    folder.mkdir(parents=True, exist_ok=True)
    for figure in figures:
        print(f"measuring {figure.name}: {figure.title}", file=sys.stderr, flush=True)
        measured = measure(figure, quick=run["quick"], seed=run["seed"])
        run["figures"] += [stamped(row, figure.name, run) for row in measured.rows]
        if measured.error is not None:
            print(f"{figure.name} failed: {measured.error}", file=sys.stderr, flush=True)
            run["failed"].append({"figure": figure.name, "error": measured.error})
        write(run, folder)


def on_record() -> dict[str, Any]:
    """The committed results."""
    return dict(json.loads((COMMITTED / "results.json").read_text()))


def write(run: dict[str, Any], folder: Path) -> None:
    """Write results.json and results.md."""
    (folder / "results.json").write_text(json.dumps(run, indent=1) + "\n")
    (folder / "results.md").write_text(markdown(run))


if __name__ == "__main__":
    sys.exit(main())
