"""The page as text: complete in itself, a user's text escaped, usable without trials, bounded with many."""

import json
import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from support.example_results import HOSTILE, HOSTILE_NAME, example_sweep, write_results
from support.results import START, record
from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_trainer.report import write
from tuningsweep_trainer.report.errors import ReportError
from tuningsweep_trainer.results.ledger import Ledger
from tuningsweep_trainer.results.store import LocalStore

NOW = START + timedelta(hours=1)


class Markup(HTMLParser):
    """Elements and addresses of a page, and its data."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self._in_data = False
        self.data = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags.append(tag)
        self.addresses += [values[key] for key in ("src", "href", "srcset", "action") if values.get(key)]
        self._in_data = values.get("id") == "data"

    def handle_data(self, data):
        self.data += data if self._in_data else ""

    def handle_endtag(self, tag):
        self._in_data = False


def page(folder, source) -> tuple[str, Markup]:
    text = write.write_report(str(source), folder / "report.html", now=NOW).page.read_text()
    return text, Markup(text)


def results(folder, *records):
    store = LocalStore(folder)
    store.write("sweep.json", json.dumps(example_sweep().dump()).encode())
    for each in records:
        Ledger(store).record(each)
    return folder


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    return page(folder, write_results(folder / "results", 40, running=1))


def test_the_page_refers_to_nothing_outside_itself(example) -> None:
    _, markup = example
    assert all(address.startswith(("#", "data:,")) for address in markup.addresses)
    assert not {"img", "iframe", "object", "embed"} & set(markup.tags)


def test_a_browser_is_told_to_fetch_nothing(example) -> None:
    text, _ = example
    assert "Content-Security-Policy\" content=\"default-src 'none';" in text


def test_text_of_a_user_never_becomes_markup(example) -> None:
    text, markup = example
    assert HOSTILE not in text
    assert HOSTILE_NAME not in text
    assert "alert(1)" in text
    assert markup.tags.count("script") == 3
    reasons = json.dumps(json.loads(markup.data)["tables"]["stops"]["rows"])
    assert HOSTILE in reasons, "it is in the data as it was"


def test_scripts_can_not_be_closed_from_within(example) -> None:
    text, _ = example
    assert len(re.findall("</script", text)) == 3
    assert "<!--" not in text


def test_no_trials_at_all_give_a_page(tmp_path) -> None:
    text, markup = page(tmp_path, results(tmp_path / "results"))
    assert "No trial has started." in text
    assert json.loads(markup.data)["figures"] == []


def test_one_trial_gives_a_page(tmp_path) -> None:
    text, _ = page(tmp_path, results(tmp_path / "results", record(0)))
    assert "Every trial that ended trained to its end." in text


def test_all_stopped_gives_a_page_without_a_best_trial(tmp_path) -> None:
    stopped = [record(i, outcome=Outcome.LIMIT_EXCEEDED, reason=Reason.MEMORY_LIMIT_EXCEEDED) for i in range(3)]
    text, _ = page(tmp_path, results(tmp_path / "results", *stopped))
    assert "no trial within the limits has reported it" in text
    assert "3 trials stopped before the step time was known" not in text
    assert "no trial that finished" in text


def test_ten_thousand_trials_stay_below_20_mb(tmp_path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "sweep.json").write_text(json.dumps(example_sweep().dump()))
    parameters = {"batch_size": 32, "width": 64, "learning_rate": 0.00123456789, "optimizer": "sgd"}
    lines = [record(i, parameters=parameters).model_dump_json(by_alias=True, exclude_none=True) for i in range(10_000)]
    (folder / "trials.jsonl").write_text("\n".join(lines) + "\n")
    text, markup = page(tmp_path, folder)
    assert len(text.encode()) < 20e6
    data = json.loads(markup.data)
    assert len(data["tables"]["trials"]["rows"]) == 10_000
    assert {figure["name"]: figure["renderer"] for figure in data["figures"]}["pareto"] == "canvas"


def test_a_missing_library_is_named_with_what_to_install(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(write, "find_spec", lambda name: None if name == "vl_convert" else name)
    with pytest.raises(ReportError, match=r"needs vl_convert; install .* pip install 'tuningsweep-trainer\[report\]'"):
        write.write_report(str(tmp_path), tmp_path / "report.html")


def test_a_place_that_can_not_be_written_is_named(tmp_path) -> None:
    source = results(tmp_path / "results", record(0))
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match="choose another place"):
        write.write_report(str(source), tmp_path / "file" / "report.html")
