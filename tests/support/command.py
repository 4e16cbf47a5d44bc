"""The command line in this process, for tests that need no more of it than what it prints."""

from typer.testing import CliRunner

from tuningsweep_cli.main import app


def says(*arguments: str) -> str:
    """Standard output of a command that succeeds."""
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 0, f"{arguments}: {done.exit_code}\n{done.output}"
    return done.stdout
