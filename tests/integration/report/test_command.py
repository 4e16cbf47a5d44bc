"""`tuningsweep report` as a person calls it: what it writes, what it says, its exit codes."""

from pathlib import Path

from typer.testing import CliRunner

from support.example_results import example_sweep, write_results
from tuningsweep_cli.exits import Exit
from tuningsweep_cli.main import app


def call(*arguments: str):
    return CliRunner().invoke(app, ["report", example_sweep().metadata.name, *arguments])


def test_it_names_the_files_that_it_wrote(tmp_path: Path) -> None:
    source = write_results(tmp_path / "results", 5, traced=False)
    done = call("--results", str(source), "--file", str(tmp_path / "out" / "page.html"), "--png")
    assert done.exit_code == 0, done.output
    written = [Path(line) for line in done.stdout.split()]
    names = ["page.html", "page-pareto.png", "page-order.png", "page-parallel.png", "page-timeline.png"]
    assert [path.name for path in written] == names
    assert all(path.stat().st_size > 1000 for path in written)


def test_results_by_uri_are_read_as_those_in_a_folder(tmp_path: Path) -> None:
    source = write_results(tmp_path / "results", 3)
    done = call("--results", source.as_uri(), "--file", str(tmp_path / "page.html"))
    assert done.exit_code == 0, done.output
    assert "trial-0002" in (tmp_path / "page.html").read_text()


def test_a_folder_without_results_is_bad_input(tmp_path: Path) -> None:
    done = call("--results", str(tmp_path), "--file", str(tmp_path / "page.html"))
    assert done.exit_code == Exit.NOT_FOUND
    assert "there are no results of sweep" in done.stderr
    assert not (tmp_path / "page.html").exists()
