"""Population based training gives a trial another one's configuration, not its name."""

from typing import Any

import pytest

from support.sweeps import sweep_manifest
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.driver.schedulers import make_scheduler


class FakeTrial:
    def __init__(self, name: str, x: float) -> None:
        self.trial_id, self.config = name, {"trial": name, "parameters": {"alpha": x}}


@pytest.mark.parametrize("kind", ["PBT", "PB2"])
def test_a_clone_keeps_its_name(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    alpha: dict[str, Any] = {"name": "alpha", "parameterType": "double", "feasibleSpace": {"min": "0.1", "max": "1"}}
    edits: dict[str, Any] = {"spec__scheduler": {"type": kind}, "spec__parameters": [alpha]}
    spec = TuningSweep.from_manifest(sweep_manifest(**edits)).spec
    scheduler = make_scheduler(spec, lambda: 1)
    if kind == "PB2":
        import pandas

        columns = {"Trial": ["a", "b"], "Time": [1, 1], "parameters/alpha": [0.2, 0.8], "Reward": [0.0, 1.0]}
        scheduler.data = pandas.DataFrame(columns)
        scheduler._metric_op = 1.0
    config, _ = scheduler._get_new_config(FakeTrial("trial-0000", 0.2), FakeTrial("trial-0001", 0.8))
    assert config["trial"] == "trial-0000"
    assert 0.1 <= config["parameters"]["alpha"] <= 1
