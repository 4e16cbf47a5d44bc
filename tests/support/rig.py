"""Programs that the test rig builds from pinned Go modules, for tests outside a cluster: helm, promtool, prometheus."""

import subprocess
from functools import cache
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent.parent / "cluster" / "rig" / "program"


@cache
def _built(tool: str, name: str) -> tuple[Path | None, str]:
    """The path, built by the rig if need be, or the line that says why there is none."""
    made = subprocess.run([PROGRAM, tool, name], capture_output=True, text=True, check=False)
    lines = made.stderr.strip().splitlines() or ["no reason given"]
    return (Path(made.stdout.strip()), "") if made.returncode == 0 else (None, lines[0])


def rig_file(tool: str, name: str) -> Path:
    """A program of a tool, or what is kept beside it; skips the test where it can't be built."""
    path, why = _built(tool, name)
    if path is None:
        pytest.skip(f"left out: {name} can't be built here: {why}")
    return path
