"""Commands that need no cluster: run, validate, render, track."""

from pathlib import Path
from typing import Annotated

import typer

from tuningsweep_cli.exits import errors_as_sentences
from tuningsweep_cli.options import ManifestFormat

app = typer.Typer()
PANEL = "Manifests"

ManifestFile = Annotated[
    Path, typer.Argument(help="Manifest with one TuningSweep; other objects in it are passed over.")
]


@app.command(
    rich_help_panel=PANEL,
    epilog="Example: tuningsweep run manifests/samples/quickstart.yaml --results /tmp/quickstart",
)
def run(
    file: ManifestFile,
    results: Annotated[
        Path | None, typer.Option(help="Folder for the results; results/SWEEP here if left out.", show_default=False)
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Move earlier results aside and start anew.")] = False,
    no_progress: Annotated[bool, typer.Option("--no-progress", help="Lines instead of a live table.")] = False,
) -> None:
    """Run a sweep on this machine, as the cluster would run it.

    Exit code 0 if the sweep is Complete, 1 if it Failed, 2 for bad input, 130 after Ctrl-C (run it again to go on).
    """
    from tuningsweep_cli.run import run_locally

    with errors_as_sentences():
        raise typer.Exit(run_locally(file, results, fresh=fresh, progress=not no_progress))


@app.command(rich_help_panel=PANEL, epilog="Example: tuningsweep validate my-sweep.yaml")
def validate(file: ManifestFile) -> None:
    """Check a manifest by the rules that the API server applies, offline."""
    from tuningsweep_cli.manifest import load_sweep

    with errors_as_sentences():
        typer.echo(f"{load_sweep(file).metadata.name} is valid")


@app.command(rich_help_panel=PANEL, epilog="Example: tuningsweep render my-sweep.yaml -n team-a | less")
def render(
    file: ManifestFile,
    namespace: Annotated[
        str | None, typer.Option("-n", "--namespace", help="Namespace; the manifest's if left out.", show_default=False)
    ] = None,
    image: Annotated[
        str | None,
        typer.Option(
            "--trainer-image", help="The operator's trainer image, if it is not the default.", show_default=False
        ),
    ] = None,
    output: Annotated[ManifestFormat, typer.Option("-o", "--output", help="Format.")] = ManifestFormat.YAML,
) -> None:
    """Show what the operator would create for a sweep, by its own builders; the Secret's token is masked."""
    from tuningsweep_cli.manifest import load_sweep
    from tuningsweep_cli.rendering import rendered, written

    with errors_as_sentences():
        typer.echo(written(rendered(load_sweep(file), namespace, image), output), nl=False)


@app.command(rich_help_panel=PANEL, epilog="Example: tuningsweep track results/quickstart")
def track(
    results: Annotated[
        str, typer.Argument(help="Folder or URI (s3://...) with the results of a sweep that has ended.")
    ],
) -> None:
    """Send MLflow what could not be sent while the sweep ran, because its server was away.

    Exit code 0 if nothing is left, 1 if something is still unsent.
    """
    from tuningsweep_cli.tracking import send_unsent

    with errors_as_sentences():
        raise typer.Exit(send_unsent(results, typer.echo))
