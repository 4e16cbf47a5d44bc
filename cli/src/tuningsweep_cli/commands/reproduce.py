"""The command that runs the thesis again: reproduce."""

from pathlib import Path
from typing import Annotated

import typer

from tuningsweep_cli.exits import errors_as_sentences

app = typer.Typer()
PANEL = "Manifests"


@app.command(
    rich_help_panel=PANEL,
    epilog="Example: tuningsweep reproduce --workloads diabetes-svm,red-wine-svm-regression --results /tmp/thesis",
)
def reproduce(
    results: Annotated[Path, typer.Option(help="Folder for results, tidy data and pages.")] = Path("results/thesis"),
    workloads: Annotated[
        str, typer.Option(help="Names of workloads, separated by commas; all if left out.", show_default=False)
    ] = "",
    steps: Annotated[
        int | None, typer.Option(min=1, help="Steps of every trial; the manifests' if left out.", show_default=False)
    ] = None,
    runs: Annotated[
        int,
        typer.Option(min=1, max=3, help="Runs of each configuration; fewer than the thesis' three leave no intervals."),
    ] = 3,
    savings_runs: Annotated[
        int, typer.Option(min=1, max=3, help="Runs, of those, that are repeated with limits and with ASHA.")
    ] = 1,
    arms: Annotated[
        str,
        typer.Option(help="Ways to end trials early, e.g. limits,asha+limits; all if left out.", show_default=False),
    ] = "",
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Smoke test in four minutes: one run, one arm, a few steps on generated rows."),
    ] = False,
    openml_server: Annotated[
        str | None,
        typer.Option(help="Another OpenML API, e.g. http://127.0.0.1:18554/api/v1/xml.", show_default=False),
    ] = None,
    wave_energy_stand_in: Annotated[
        bool,
        typer.Option(
            "--wave-energy-stand-in", help="Generated rows in place of wave energy, labelled wave_energy_synthetic."
        ),
    ] = False,
    manifests: Annotated[Path, typer.Option(help="Folder of the workloads' manifests.")] = Path(
        "manifests/samples/thesis"
    ),
    pages_only: Annotated[
        bool, typer.Option("--pages-only", help="Run nothing: make tidy data and pages of what is there.")
    ] = False,
    docs: Annotated[
        Path | None,
        typer.Option(help="Folder for the claims and the savings as Markdown, e.g. docs.", show_default=False),
    ] = None,
) -> None:
    """Run the thesis behind TuningSweep again: 7 workloads, 16 configurations, 3 runs, and what limits save on them.

    The 336 trials take 27 minutes on two cores, all arms half an hour more. What has ended is not run again, so the same
    command goes on after Ctrl-C.
    Exit code 1 if a data set is missing or a sweep failed; everything else is run and shown all the same.
    """
    from tuningsweep_cli.reproducing import chosen_arms, reproduce_thesis
    from tuningsweep_trainer.reproduce.settings import Settings

    with errors_as_sentences():
        settings = Settings(
            results=results,
            steps=steps,
            quick=quick,
            openml_server=openml_server,
            wave_energy_stand_in=wave_energy_stand_in,
            runs=runs,
            savings_runs=savings_runs,
            chosen_arms=chosen_arms(arms),
        )
        raise typer.Exit(reproduce_thesis(settings, manifests, workloads, pages_only=pages_only, docs=docs))
