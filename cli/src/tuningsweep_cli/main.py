"""Entry point of `tuningsweep`: commands and their options; each command's work is in a module of its own.

Heavy imports (Ray, scikit-learn) happen inside the commands, so that --help and bad input answer at once.
"""

from pathlib import Path
from typing import Annotated

import typer

from tuningsweep_cli.exits import Exit

app = typer.Typer(
    name="tuningsweep",
    help="Hyperparameter sweeps held to limits on memory and step time.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

ManifestFile = Annotated[
    Path, typer.Argument(help="Manifest with one TuningSweep; other objects in it are passed over.")
]


@app.callback()
def tuningsweep() -> None:
    """Hyperparameter sweeps held to limits on memory and step time."""


@app.command(epilog="Example: tuningsweep run manifests/samples/quickstart.yaml --results /tmp/quickstart")
def run(
    file: ManifestFile,
    results: Annotated[
        Path | None, typer.Option(help="Folder for the results; results/SWEEP here if left out.", show_default=False)
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Move earlier results aside and start anew.")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="Lines instead of a live table.")] = False,
) -> None:
    """Run a sweep on this machine, as the cluster would run it.

    Exit code 0 if the sweep is Complete, 1 if it Failed, 2 for bad input, 130 after Ctrl-C (run it again to go on).
    """
    from tuningsweep_cli.run import run_locally

    raise typer.Exit(run_locally(file, results, fresh=fresh, plain=plain))


@app.command(epilog="Example: tuningsweep validate my-sweep.yaml")
def validate(file: ManifestFile) -> None:
    """Check a manifest by the rules that the API server applies, offline."""
    from tuningsweep_cli.manifest import BadManifestError, load_sweep

    try:
        sweep = load_sweep(file)
    except BadManifestError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(Exit.BAD_INPUT) from error
    typer.echo(f"{sweep.metadata.name} is valid")


def main() -> None:
    """Console entry point."""
    app()
