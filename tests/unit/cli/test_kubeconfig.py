"""The context is chosen as kubectl chooses it, and a kubeconfig that can't be used is a sentence."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from tuningsweep_cli.exits import CommandError
from tuningsweep_cli.kubeconfig import choose_context
from tuningsweep_cli.options import ClusterOptions


def write(file: Path, *contexts: str, current: str | None = None) -> str:
    """A kubeconfig whose contexts have a namespace `of-CONTEXT-FILE`."""
    content: dict[str, Any] = {
        "contexts": [{"name": name, "context": {"namespace": f"of-{name}-{file.name}"}} for name in contexts]
    }
    if current is not None:
        content["current-context"] = current
    file.write_text(yaml.safe_dump(content))
    return str(file)


def test_of_several_files_the_first_that_names_a_context_counts(tmp_path: Path) -> None:
    none = write(tmp_path / "none", "shared")
    first = write(tmp_path / "first", "shared", "a", current="a")
    last = write(tmp_path / "last", "a", "b", current="b")
    files = os.pathsep.join([none, first, last, str(tmp_path / "absent")])
    assert choose_context(ClusterOptions(kubeconfig=files)) == ("a", "of-a-first")
    assert choose_context(ClusterOptions(kubeconfig=files, context="b")) == ("b", "of-b-last")
    assert choose_context(ClusterOptions(kubeconfig=files, context="shared")) == ("shared", "of-shared-none")


def test_a_context_that_is_named_needs_no_current_one(tmp_path: Path) -> None:
    file = write(tmp_path / "kubeconfig", "a", current="gone")
    assert choose_context(ClusterOptions(kubeconfig=file, context="a"))[0] == "a"
    with pytest.raises(CommandError, match="no context 'gone'; it has: a"):
        choose_context(ClusterOptions(kubeconfig=file))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "there is no kubeconfig at"),
        ("", "no kubeconfig names a current context"),
        ("contexts: [", "can't be read"),
        (b"\xff\xfe\x00", "can't be read"),
        ("just words", "is no mapping"),
    ],
)
def test_what_can_not_be_used_is_said_in_a_sentence(tmp_path: Path, content: str | bytes | None, words: str) -> None:
    file = tmp_path / "kubeconfig"
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CommandError) as refused:
        choose_context(ClusterOptions(kubeconfig=str(file)))
    assert words in str(refused.value)
    assert "--kubeconfig" in str(refused.value)


def test_a_folder_is_no_kubeconfig(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="can't be read"):
        choose_context(ClusterOptions(kubeconfig=str(tmp_path)))
