"""GitOps for tests: kustomizations built by kubectl, and the rig's `gitops` program (Argo CD's engine, health judgements)."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from support.rig import rig_file

MANIFESTS = Path(__file__).parents[2] / "manifests"
GITOPS = MANIFESTS / "gitops"


def built(folder: Path) -> list[dict[str, Any]]:
    """What `kubectl kustomize` makes of a folder; AssertionError with its words if it fails."""
    command = [str(rig_file("kubernetes", "kubectl")), "kustomize", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]


class Conversation:
    """A running `gitops` program: one line in, one line of JSON out."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def ask(self, line: str) -> dict[str, Any]:
        """The answer to a line; AssertionError with the program's words if it is an error."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        printed = self._process.stdout.readline()
        assert printed, f"gitops ended with {self._process.wait(10)}"
        answer: dict[str, Any] = json.loads(printed)
        assert "error" not in answer, answer["error"]
        return answer


@contextmanager
def gitops(*arguments: str, environment: dict[str, str]) -> Iterator[Conversation]:
    """The rig's program, ended after the block."""
    command = [str(rig_file("gitops", "gitops")), *arguments]
    process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Conversation(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(30)
