"""`tuningsweep list`: sweeps of a cluster by their status, or local runs by their folders."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import typer
from rich.text import Text

from tuningsweep_api.names import SWEEP_KEY
from tuningsweep_api.outcomes import Phase
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_cli import text
from tuningsweep_cli.consoles import console
from tuningsweep_cli.exits import CommandError, Exit
from tuningsweep_cli.options import ClusterOptions, ListFormat
from tuningsweep_cli.output import as_json, as_yaml
from tuningsweep_cli.source.base import Progress
from tuningsweep_cli.source.status import progress_of, status_of, sweep_of
from tuningsweep_cli.source.stored import open_results
from tuningsweep_cli.tables import new_table

PHASES: dict[str, str] = {
    Phase.COMPLETE: "green",
    Phase.FAILED: "red",
    Phase.SUSPENDED: "magenta",
    Phase.QUEUED: "yellow",
    Phase.RUNNING: "cyan",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A sweep in the list."""

    namespace: str
    name: str
    phase: str
    ended: int
    trials: int
    """Most trials that it may have."""
    over_limit: int
    best_trial: str | None
    best_objective: float | None
    created: str | None


def cluster_rows(options: ClusterOptions, *, everywhere: bool) -> list[Row]:
    """Sweeps of a namespace or of all."""
    from tuningsweep_cli.cluster import Cluster
    from tuningsweep_operator.resources import SWEEPS

    return [_of_manifest(manifest) for manifest in Cluster(options).items(SWEEPS, everywhere=everywhere)]


def _of_manifest(manifest: dict[str, Any]) -> Row:
    created = str(manifest["metadata"]["creationTimestamp"])
    try:
        return _row(sweep_of(manifest), progress_of(status_of(manifest)), created)
    except CommandError:  # of a later release, or invalid by now: the others are listed all the same
        return _unreadable_row(manifest, created)


def local_rows(folder: Path) -> list[Row]:
    """Local runs in a folder, or the one that the folder holds."""
    found = sorted(path.parent for path in (*folder.glob(SWEEP_KEY), *folder.glob(f"*/{SWEEP_KEY}")))
    if not found:
        raise CommandError(
            f"there are no runs in {folder}; `tuningsweep run FILE` makes them in ./results", Exit.NOT_FOUND
        )
    sources = [open_results(str(place)) for place in found]
    return [_row(source.sweep, source.progress(), None) for source in sources]


def _row(sweep: TuningSweep, progress: Progress, created: str | None) -> Row:
    counts, best = progress.trials, progress.optimal
    return Row(
        namespace=sweep.metadata.namespace,
        name=sweep.metadata.name,
        phase=progress.phase.value,
        ended=counts.total - counts.pending - counts.running,
        trials=max(sweep.spec.max_trial_count, counts.total),
        over_limit=counts.limit_exceeded,
        best_trial=None if best is None else best.trial,
        best_objective=None if best is None else best.objective,
        created=created,
    )


def _unreadable_row(manifest: dict[str, Any], created: str) -> Row:
    metadata, status = manifest["metadata"], manifest.get("status") or {}
    phase = str(status.get("phase") or Phase.PENDING.value)
    return Row(metadata["namespace"], metadata["name"], phase, 0, 0, 0, None, None, created)


def show(rows: Sequence[Row], output: ListFormat, *, namespaces: bool) -> None:
    """Print the list."""
    if output is not ListFormat.TABLE:
        content = [asdict(row) for row in rows]
        typer.echo(as_json(content) if output is ListFormat.JSON else as_yaml(content), nl=False)
        return
    table = new_table(
        *(["namespace"] if namespaces else []), "name", "phase", "trials", "over limit", "best", "objective"
    )
    for row in rows:
        cells = (
            row.name,
            Text(row.phase, style=PHASES.get(row.phase, "")),
            f"{row.ended}/{row.trials}",
            str(row.over_limit),
            row.best_trial or "",
            text.number(row.best_objective),
        )
        table.add_row(*([row.namespace] if namespaces else []), *cells)
    console().print(table if rows else "no sweeps")
