"""What the shell completes: commands, sweeps of local runs, trials, values of options; the same for kubectl's plugin."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.sweeps import BASE
from support.trials import make_results

NAME = BASE["metadata"]["name"]
PLUGIN = str(Path(sys.executable).with_name("kubectl_complete-tuningsweep"))


@pytest.mark.parametrize(
    ("words", "candidates"),
    [
        (["wat"], ["watch"]),
        (["trials", ""], [NAME]),
        (["best", "nothing-like"], []),
        (["why", NAME, "trial-0"], ["trial-0000", "trial-0001", "trial-0002"]),
        (["trials", NAME, "--outcome", "Lim"], ["LimitExceeded"]),
    ],
)
def test_kubectl_gets_candidates_and_a_directive(tmp_path: Path, words: list[str], candidates: list[str]) -> None:
    make_results(tmp_path / "results" / NAME)
    environment = {**os.environ, "KUBECONFIG": "/nonexistent"}
    done = subprocess.run(
        [PLUGIN, *words], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    # kubectl passes over empty lines, which stand for no candidates.
    assert [line for line in done.stdout.splitlines() if line] == [*candidates, ":4"]
