"""A hostile trial says that it crossed its limit when it did, neither before nor after."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.machine import ROOT
from benchmarks.watcher import watching
from benchmarks.workloads import hostile

MIB = 1 << 20
CODE = """
import contextlib, json, sys
from benchmarks.workloads.hostile import run
run(json.loads(sys.argv[1]), "t", contextlib.nullcontext)
"""
FILLS = """
import json, sys
from benchmarks.workloads import hostile

class Limits:
    memory, busy = hostile.own_memory() + (64 << 20), 0.0
    def tell(self, event, at):
        print(json.dumps([event, self.memory, hostile.own_memory()]))

hostile.fill(Limits(), 0)
print(hostile.own_memory())
"""


def run_python(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_memory_is_over_the_limit_when_the_trial_says_so_and_goes_on_growing() -> None:
    said, _ = run_python(FILLS).splitlines()
    event, limit, held = json.loads(said)
    assert event == "crossed"
    assert limit <= held <= limit + 4 * MIB


@pytest.mark.parametrize("case", hostile.CASES)
def test_every_case_says_when_it_starts_and_crosses(case: str, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    with watching(tmp_path) as (socket, watched):
        parameters = {"watcher": socket, "memory": 64 * MIB, "step": 0.1, "busy": 2.0, "case": case, "mark": str(mark)}
        before = time.monotonic()
        run_python(CODE, json.dumps(parameters))
        time.sleep(0.2)
    (started,) = [process.started for process in watched if process.started is not None]
    (crossed,) = [process for process in watched if process.crossed is not None]
    assert before <= started <= crossed.crossed
    assert crossed.killed is not None, "it ended by itself, and was not seen to"
    assert float(mark.read_text()) == crossed.crossed
