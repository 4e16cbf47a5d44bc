"""The files of a reproduction: complete, self-contained, with stand-ins named, from whatever was run."""

import json
import re

import pytest

from support.tidy_data import samples, sweep, tidy, trials, write
from tuningsweep_trainer.report.errors import ReportError
from tuningsweep_trainer.reproduce.pages import write_pages


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    results = tmp_path_factory.mktemp("reproduction")
    runs = trials("mnist-svm", "wave-energy-svm")
    arms = [sweep("limits", cpu_seconds=75.0, stopped=4), sweep("limits+forecast", cpu_seconds=98.0)]
    data = tidy(runs, samples(runs), sweep("none"), *arms)
    write_pages(write(data, results), results / "docs")
    return results


def test_every_figure_with_data_is_a_png(folder) -> None:
    names = {path.stem for path in (folder / "figures").iterdir()}
    without = {f"figure-{number}" for number in range(17, 23)}
    assert names == {f"figure-{number:02d}" for number in range(5, 29)} - without | {"savings"}
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in (folder / "figures").iterdir())


def test_the_page_refers_to_nothing_outside_itself(folder) -> None:
    text = (folder / "reproduction.html").read_text()
    markup = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert all(address.startswith(("#", "data:,")) for address in re.findall(r'(?:src|href)="([^"]*)"', markup))
    assert "Content-Security-Policy\" content=\"default-src 'none';" in text
    assert markup.count("data-figure=") == 19
    assert "Not measured: no workload of this figure was run." in markup
    assert "wave-energy-svm (stand-in data)" in markup


def test_claims_are_there_for_programs(folder) -> None:
    entries = json.loads((folder / "claims.json").read_text())
    assert {"level-memory", "batch-size-memory", "runs-over-400"} <= {entry["id"] for entry in entries}


def test_markdown_states_what_was_found_and_what_was_not(folder) -> None:
    savings = (folder / "docs" / "savings.md").read_text()
    assert "`limits`: 25.0 % of the CPU time saved over 1 workload" in savings
    assert "`asha` was not run on mnist-svm, wave-energy-svm." in savings
    assert "seeds: 1, 2, 3" in savings
    assert "no trial was ended early did the work of `none`, and still saved 2.0 % to 2.0 % of its CPU time" in savings
    assert "The forecast skipped 0 trials, 0 of them falsely: too few" in savings
    claims = (folder / "docs" / "reproduction.md").read_text()
    assert "wave-energy-svm (stand-in data)" in claims
    for text in (savings, claims):
        for image in re.findall(r"\]\((images/[^)]*)\)", text):
            assert (folder / "docs" / image).stat().st_size < 100_000


def test_results_without_trials_say_what_to_do(tmp_path) -> None:
    with pytest.raises(ReportError, match="run `tuningsweep reproduce` first"):
        write_pages(tmp_path, None)
