"""What machines read: it means the same to every reader."""

import shlex

import pytest
import yaml

from tuningsweep_cli.output import as_arguments, as_yaml, as_yaml_documents

TEXTS = ["1e-5", "0x1f", "1_000", "12", "-3", ".5", "y", "NO", "off", "true", "null", "~", "2026-01-01", "12:30:00"]


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_that_some_reader_takes_for_something_else_is_quoted(text: str) -> None:
    assert as_yaml({"x": text}) == f"x: '{text}'\n"
    assert as_yaml_documents([{"x": text}]) == f"x: '{text}'\n"


@pytest.mark.parametrize("text", ["rbf", "a b", "relu: 1", "", "line\nline", "yes please", "[64, 64]"])
def test_any_other_is_written_as_usual(text: str) -> None:
    assert yaml.safe_load(as_yaml({"x": text})) == {"x": text}


def test_numbers_stay_numbers() -> None:
    assert as_yaml({"a": 1, "b": 0.5, "c": True, "d": None}) == "a: 1\nb: 0.5\nc: true\nd: null\n"


def test_arguments_are_what_a_shell_reads_again() -> None:
    parameters = {"layers": "(64, 32)", "rate": 0.1, "name": "it's $HOME *"}
    assert shlex.split(as_arguments(parameters)) == ["--layers=(64, 32)", "--rate=0.1", "--name=it's $HOME *"]
