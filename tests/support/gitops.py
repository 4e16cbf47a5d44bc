"""GitOps for tests: kustomizations built by kubectl, a git repository of sweeps, and the rig's `gitops` program.

The program is Argo CD's engine, and what Argo CD, Flux and kstatus think of a sweep's health.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from support.patience import PATIENCE
from support.rig import rig_file

MANIFESTS = Path(__file__).parents[2] / "manifests"
GITOPS = MANIFESTS / "gitops"


def built(folder: Path) -> list[dict[str, Any]]:
    """What `kubectl kustomize` makes of a folder; AssertionError with its words if it fails."""
    command = [str(rig_file("kubernetes", "kubectl")), "kustomize", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]


class Repository:
    """A git repository with the sample layout, committed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(GITOPS / "repository", folder)
        self._git("init", "--quiet", "--initial-branch=main")
        self.commit("sweeps")

    def commit(self, message: str) -> None:
        """Commit everything as it is."""
        self._git("add", "--all")
        who = ("-c", "user.name=test", "-c", "user.email=test@example.com")
        self._git(*who, "commit", "--quiet", "--message", message)

    def edit(self, path: str, **fields: Any) -> None:
        """Set fields of the first (YAML) document of a file, as `spec__limits__memory`."""
        file = self.folder / path
        manifest = yaml.safe_load(file.read_text())
        for name, value in fields.items():
            *parents, last = name.split("__")
            node = manifest
            for parent in parents:
                node = node[parent]
            node[last] = value
        file.write_text(yaml.safe_dump(manifest, sort_keys=False))

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", "-C", str(self.folder), *arguments], check=True, capture_output=True)


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
        process.wait(PATIENCE)
