"""Population based training gives a trial another one's configuration, not its name."""

from statistics import correlation
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


def test_parameters_are_resampled_independently_and_the_same_after_a_restart() -> None:
    ranges = [
        {"name": name, "parameterType": "double", "feasibleSpace": {"min": "0", "max": "1"}}
        for name in ("alpha", "epsilon")
    ]
    spec = TuningSweep.from_manifest(sweep_manifest(spec__scheduler={"type": "PBT"}, spec__parameters=ranges)).spec

    def draws() -> dict[str, list[float]]:
        resampled = make_scheduler(spec, lambda: 1)._hyperparam_mutations["parameters"]
        return {name: [draw() for _ in range(100)] for name, draw in resampled.items()}

    drawn = draws()
    assert abs(correlation(drawn["alpha"], drawn["epsilon"])) < 0.5
    assert draws() == drawn
