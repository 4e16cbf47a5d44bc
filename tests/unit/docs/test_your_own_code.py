"""The page about users' own code: its whole example runs, outside a trial as the page says it does."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tuningsweep_api.spec.search import Scheduler

PAGE = (Path(__file__).parents[3] / "docs" / "your-own-code.md").read_text()


def test_the_scikit_learn_example_runs_and_reports(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = (block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "SGDClassifier" in block)
    module: dict[str, Any] = {}
    exec(compile(code, "my_module.py", "exec"), module)
    module["train"]({"alpha": 0.001})
    reports = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(reports) == 50
    assert reports[-1]["accuracy"] > 0.9
    assert f"has {reports[-1]['step']:,}" in PAGE  # and is cut short at the default of scheduler.maxSteps
    assert reports[-1]["step"] > Scheduler().max_steps
