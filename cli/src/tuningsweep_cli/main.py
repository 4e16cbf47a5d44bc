"""Entry point of `tuningsweep` and `kubectl tuningsweep`.

Heavy imports (Ray, the Kubernetes client) happen inside the commands, so that --help and bad input answer at once.
"""

import os
import shlex
import sys
from pathlib import Path

import typer

from tuningsweep_cli.commands import local, look, reproduce, steer
from tuningsweep_cli.exits import MEANINGS
from tuningsweep_cli.options import RULE

NO_FILE_NAMES = ":4"
"""kubectl's directive that file names are not wanted besides."""
CODES = "; ".join(f"{code.value} {meaning}" for code, meaning in MEANINGS.items())

HELP = (
    "Hyperparameter sweeps held to limits on memory and step time.\n\n"
    f"{RULE} What changes a sweep (limits, stop, suspend, resume) is always about one on the cluster.\n\n"
    f"Exit codes: {CODES}."
)

app = typer.Typer(
    name="tuningsweep",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    epilog="Example: tuningsweep run manifests/samples/quickstart.yaml && tuningsweep trials quickstart",
)
for group in (local, look, steer, reproduce):
    app.add_typer(group.app)


@app.callback(help=HELP)
def tuningsweep() -> None:
    """Where the help of all commands together is shown."""


def main() -> None:
    """Console entry point; kubectl calls plugins by their file's name and shows them by ours."""
    plugin = Path(sys.argv[0]).name.startswith("kubectl-")
    app(prog_name="kubectl tuningsweep" if plugin else "tuningsweep")


def complete_for_kubectl() -> None:
    """Entry point that kubectl calls to complete words after `kubectl tuningsweep`: candidates and a directive."""
    words = sys.argv[1:]
    os.environ["_TUNINGSWEEP_COMPLETE"] = "complete_bash"
    os.environ["COMP_WORDS"] = shlex.join(["tuningsweep", *words])
    os.environ["COMP_CWORD"] = str(len(words))
    try:
        app(prog_name="tuningsweep")
    except SystemExit:
        typer.echo(NO_FILE_NAMES)
