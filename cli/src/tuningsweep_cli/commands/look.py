"""Commands that show sweeps and trials: list, trials, watch, best, why, report."""

from pathlib import Path
from typing import Annotated

import typer

from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_cli.exits import CommandError, errors_as_sentences
from tuningsweep_cli.options import (
    READING_RIGHTS,
    RULE,
    BestFormat,
    ClusterOptions,
    Context,
    Kubeconfig,
    ListFormat,
    Namespace,
    Results,
    Sweep,
    Trial,
    TrialsFormat,
)

app = typer.Typer()
PANEL = "Look"
READS = f"{RULE}\n\n{READING_RIGHTS}"


@app.command("list", rich_help_panel=PANEL, epilog="Example: tuningsweep list -A")
def list_(
    namespace: Namespace = None,
    everywhere: Annotated[bool, typer.Option("-A", "--all-namespaces", help="Sweeps of all namespaces.")] = False,
    results: Annotated[
        Path | None, typer.Option(help="List the local runs in this folder instead, e.g. results.", show_default=False)
    ] = None,
    output: Annotated[ListFormat, typer.Option("-o", "--output", help="Format.")] = ListFormat.TABLE,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """List the sweeps of a namespace, or the local runs in a folder.

    On a cluster this needs: list tuningsweeps.
    """
    from tuningsweep_cli.listing import cluster_rows, local_rows, show

    with errors_as_sentences():
        options = ClusterOptions(namespace, context, kubeconfig)
        if results is not None and (options.given or everywhere):
            raise CommandError(
                "--results lists local runs, -n, -A, --context and --kubeconfig a cluster: give one of them"
            )
        rows = cluster_rows(options, everywhere=everywhere) if results is None else local_rows(results)
        show(rows, output, namespaces=everywhere)


@app.command(
    rich_help_panel=PANEL,
    epilog=f"Example: tuningsweep trials quickstart --outcome LimitExceeded --where 'width>300' --sort -memory\n\n{READS}",
)
def trials(
    sweep: Sweep,
    outcome: Annotated[list[Outcome], typer.Option(help="Only of this outcome (may be repeated).")] = [],  # noqa: B006
    reason: Annotated[list[Reason], typer.Option(help="Only of this reason (may be repeated).")] = [],  # noqa: B006
    where: Annotated[
        list[str],
        typer.Option(help="Only those that meet it, e.g. 'batch_size>300 and memory>=400Mi' (may be repeated)."),
    ] = [],  # noqa: B006
    sort: Annotated[
        str | None,
        typer.Option(help="Order by a parameter, metric or field; -NAME descending.", show_default=False),
    ] = None,
    output: Annotated[
        TrialsFormat, typer.Option("-o", "--output", help="Format; json, yaml and csv have ended trials only.")
    ] = TrialsFormat.TABLE,
    results: Results = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Show the trials of a sweep: running ones, then ended ones in the order of their end."""
    from tuningsweep_cli.source.opening import opened
    from tuningsweep_cli.trials import Choice, show

    with errors_as_sentences():
        choice = Choice.of(outcome, reason, where, sort)
        with opened(sweep, results, ClusterOptions(namespace, context, kubeconfig)) as source:
            show(source, choice, output)


@app.command(
    rich_help_panel=PANEL,
    epilog=f"Example: tuningsweep watch quickstart -n team-a\n\n{READS}",
)
def watch(
    sweep: Sweep,
    no_progress: Annotated[bool, typer.Option("--no-progress", help="Lines instead of a live table.")] = False,
    results: Results = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Follow a sweep until it ends; exit code 0 if it is Complete, 1 if it Failed, 130 after Ctrl-C (the sweep goes on)."""
    from tuningsweep_cli.consoles import console
    from tuningsweep_cli.source.opening import opened
    from tuningsweep_cli.watching import watch as follow

    with errors_as_sentences():
        with opened(sweep, results, ClusterOptions(namespace, context, kubeconfig), follow=True) as source:
            screen = console()
            code = follow(source, screen, table=screen.is_terminal and not no_progress)
        raise typer.Exit(code)


@app.command(
    rich_help_panel=PANEL,
    epilog=f'Example: eval "./train $(tuningsweep best quickstart -o args)"\n\n{READS}',
)
def best(
    sweep: Sweep,
    output: Annotated[BestFormat, typer.Option("-o", "--output", help="Format.")] = BestFormat.TABLE,
    results: Results = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Show the best trial that kept the limits, with several objectives the Pareto front; `-o args` gives the best one's
    parameters as --NAME=VALUE, `-o points` all of them for another sweep's `search`, to be tried first there."""
    from tuningsweep_cli.source.opening import opened
    from tuningsweep_cli.trials import show_best

    with errors_as_sentences(), opened(sweep, results, ClusterOptions(namespace, context, kubeconfig)) as source:
        show_best(source, output)


@app.command(
    rich_help_panel=PANEL,
    epilog=f"Example: tuningsweep why quickstart trial-0003\n\n{READS}",
)
def why(
    sweep: Sweep,
    trial: Trial,
    plot: Annotated[
        str | None,
        typer.Option(
            help="Plot memory, mean-step-time or step-time instead of what decided the trial's end.", show_default=False
        ),
    ] = None,
    whole: Annotated[bool, typer.Option("--whole", help="Plot the whole time, not only the end.")] = False,
    results: Results = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Explain how a trial ended: what was observed and allowed, its samples around the end as a plot, what to do."""
    from tuningsweep_cli.explaining import explain
    from tuningsweep_cli.source.opening import opened

    with errors_as_sentences(), opened(sweep, results, ClusterOptions(namespace, context, kubeconfig)) as source:
        explain(source, trial, plot, whole=whole)


@app.command(
    rich_help_panel=PANEL,
    epilog=f"Example: tuningsweep report quickstart --file quickstart.html --png\n\n{READS}",
)
def report(
    sweep: Sweep,
    file: Annotated[
        Path | None, typer.Option(help="The page; SWEEP.html here if left out.", show_default=False)
    ] = None,
    png: Annotated[bool, typer.Option("--png", help="Write a PNG of each figure beside the page.")] = False,
    results: Results = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Write a page about a sweep, ended or not: what ran, what was stopped and why, what that saved.

    The page needs nothing but itself.
    """
    from tuningsweep_cli.reporting import report_on
    from tuningsweep_cli.source.opening import opened

    target = file or Path(f"{sweep}.html")
    with errors_as_sentences(), opened(sweep, results, ClusterOptions(namespace, context, kubeconfig)) as source:
        written = report_on(source, target, pngs=png)
    for note in written.notes:
        typer.echo(note, err=True)
    for path in (written.page, *written.pngs):
        typer.echo(str(path))
