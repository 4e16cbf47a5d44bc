"""Commands that change a sweep on a cluster: limits, stop, suspend, resume."""

from typing import Annotated

import typer

from tuningsweep_cli.exits import errors_as_sentences
from tuningsweep_cli.options import ClusterOptions, Context, Kubeconfig, Namespace, Sweep

app = typer.Typer()
PANEL = "Steer"
RIGHTS = "The sweep is one on a cluster. This needs: get and patch tuningsweeps."


@app.command(
    rich_help_panel=PANEL,
    epilog=f"Example: tuningsweep limits quickstart --memory 300Mi --unset trial-duration\n\n{RIGHTS}",
)
def limits(
    sweep: Sweep,
    memory: Annotated[str | None, typer.Option(help="Most memory of a trial, e.g. 400Mi.", show_default=False)] = None,
    gpu_memory: Annotated[
        str | None, typer.Option(help="Most GPU memory of a trial, e.g. 4Gi.", show_default=False)
    ] = None,
    mean_step_time: Annotated[
        str | None, typer.Option(help="Longest mean time of a step, e.g. 50ms.", show_default=False)
    ] = None,
    step_time: Annotated[
        str | None, typer.Option(help="Longest time of any step, e.g. 2s.", show_default=False)
    ] = None,
    trial_duration: Annotated[
        str | None, typer.Option(help="Longest time of a trial, e.g. 10m.", show_default=False)
    ] = None,
    warmup_steps: Annotated[
        int | None, typer.Option(help="First steps that do not count for the mean.", show_default=False)
    ] = None,
    window_steps: Annotated[
        int | None, typer.Option(help="Steps over which the mean is taken.", show_default=False)
    ] = None,
    action: Annotated[
        str | None, typer.Option(help="What happens to a trial over a limit: Stop or Warn.", show_default=False)
    ] = None,
    forecast: Annotated[
        str | None,
        typer.Option(help="What happens to a trial predicted over a limit: Off, Warn or Skip.", show_default=False),
    ] = None,
    unset: Annotated[
        list[str],
        typer.Option(
            help="Take out a limit: memory, gpu-memory, mean-step-time, step-time, trial-duration (may be repeated)."
        ),
    ] = [],  # noqa: B006
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Show the limits of a sweep, or change them while it runs."""
    from tuningsweep_cli.steering import change_limits

    changes = {
        "memory": memory,
        "gpuMemory": gpu_memory,
        "meanStepTime": mean_step_time,
        "stepTime": step_time,
        "trialDuration": trial_duration,
        "warmupSteps": warmup_steps,
        "windowSteps": window_steps,
        "action": action,
        "forecast": forecast,
    }
    given = {name: value for name, value in changes.items() if value is not None}
    with errors_as_sentences():
        change_limits(sweep, ClusterOptions(namespace, context, kubeconfig), given, unset)


@app.command(
    rich_help_panel=PANEL,
    epilog=f"Example: tuningsweep stop quickstart trial-0003 trial-0007\n\n{RIGHTS}",
)
def stop(
    sweep: Sweep,
    trials: Annotated[list[str], typer.Argument(help="Names of the trials, e.g. trial-0003.")],
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Stop trials of a running sweep; the others go on."""
    from tuningsweep_cli.steering import stop_trials

    with errors_as_sentences():
        stop_trials(sweep, ClusterOptions(namespace, context, kubeconfig), trials)


@app.command(
    rich_help_panel=PANEL,
    epilog=f"Example: tuningsweep suspend quickstart\n\n{RIGHTS}",
)
def suspend(sweep: Sweep, namespace: Namespace = None, context: Context = None, kubeconfig: Kubeconfig = None) -> None:
    """Free the cluster of a sweep and keep what is finished."""
    from tuningsweep_cli.steering import set_suspend

    with errors_as_sentences():
        set_suspend(sweep, ClusterOptions(namespace, context, kubeconfig), suspend=True)


@app.command(
    rich_help_panel=PANEL,
    epilog=f"Example: tuningsweep resume quickstart\n\n{RIGHTS}",
)
def resume(sweep: Sweep, namespace: Namespace = None, context: Context = None, kubeconfig: Kubeconfig = None) -> None:
    """Go on with a suspended sweep."""
    from tuningsweep_cli.steering import set_suspend

    with errors_as_sentences():
        set_suspend(sweep, ClusterOptions(namespace, context, kubeconfig), suspend=False)
