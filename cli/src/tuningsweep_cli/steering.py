"""Applies the patches of the steering commands to a sweep on a cluster, and says what was done."""

from collections.abc import Callable
from typing import Any, Final

import typer

from tuningsweep_cli.cluster import Cluster, ConflictError, get_sweep
from tuningsweep_cli.consoles import console
from tuningsweep_cli.editing import limits_patch, stop_patch
from tuningsweep_cli.exits import CommandError
from tuningsweep_cli.options import ClusterOptions
from tuningsweep_cli.source.status import progress_of, status_of
from tuningsweep_cli.tables import new_table
from tuningsweep_operator.resources import SWEEPS, Manifest

CONFLICT_TRIES: Final = 5


def change_limits(name: str, options: ClusterOptions, changes: dict[str, Any], unset: list[str]) -> None:
    """Change limits if there is anything to change, and show what is in force."""
    cluster = Cluster(options)
    manifest = get_sweep(cluster, name)
    if changes or unset:
        patch = limits_patch(manifest, changes, unset)
        _refuse_if_ended(manifest)
        manifest = cluster.patch(SWEEPS, name, patch)
        typer.echo(f"limits of {name} changed; running trials are held to them within seconds", err=True)
    table = new_table("limit", "value")
    for limit, value in manifest["spec"]["limits"].items():
        table.add_row(limit, str(value))
    console().print(table)


def stop_trials(name: str, options: ClusterOptions, trials: list[str]) -> None:
    """Ask for trials to be stopped."""
    cluster = Cluster(options)
    _patch_until_current(cluster, name, lambda manifest: stop_patch(manifest, trials))
    typer.echo(f"{', '.join(trials)} of {name} will be stopped")


def set_suspend(name: str, options: ClusterOptions, *, suspend: bool) -> None:
    """Suspend or resume."""
    cluster = Cluster(options)
    manifest = get_sweep(cluster, name)
    word = "suspended" if suspend else "resumed"
    if manifest["spec"].get("suspend", False) is suspend:
        typer.echo(f"{name} is {word} already" if suspend else f"{name} is not suspended")
        return
    _refuse_if_ended(manifest)
    cluster.patch(SWEEPS, name, {"spec": {"suspend": suspend}})
    typer.echo(f"{name} {word}")


def _patch_until_current(cluster: Cluster, name: str, patch: Callable[[Manifest], Manifest]) -> None:
    """Apply a patch that names the version it was made from; read again and make it anew when others were faster."""
    for attempt in range(1, CONFLICT_TRIES + 1):
        manifest = get_sweep(cluster, name)
        wanted = patch(manifest)
        _refuse_if_ended(manifest)
        try:
            cluster.patch(SWEEPS, name, wanted)
        except ConflictError as error:
            if attempt == CONFLICT_TRIES:
                raise CommandError(f"{name} is being changed by others all the time; try again", error.code) from error
        else:
            return


def _refuse_if_ended(manifest: Manifest) -> None:
    progress = progress_of(status_of(manifest))
    if progress.ended:
        raise CommandError(
            f"{manifest['metadata']['name']} has ended ({progress.phase}); nothing runs that could change"
        )
