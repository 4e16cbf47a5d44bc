"""What can't be had is named with its reason; the stand-in has wave energy's shape and ranges."""

from pathlib import Path

import numpy as np
import pytest

from support.thesis import thesis_sweep
from tuningsweep_trainer.datasets import openml_source
from tuningsweep_trainer.errors import DatasetError
from tuningsweep_trainer.reproduce import data
from tuningsweep_trainer.reproduce.workloads import quick


def test_missing_data_sets_are_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def download(spec: object) -> None:
        asked.append(spec.id)
        if spec.id == 554:
            raise DatasetError("no server answers")

    monkeypatch.setattr(openml_source, "download", download)
    sweeps = [thesis_sweep(name) for name in ("mnist-svm", "mnist-perceptron", "diabetes-svm")]
    assert data.missing([*sweeps, quick(sweeps[0])]) == {554: "no server answers"}
    assert asked == [554, 37]


def test_the_stand_in_has_the_shape_and_quartiles_of_wave_energy(tmp_path: Path) -> None:
    frame = data.wave_energy_stand_in(20_000)
    assert frame.shape == (20_000, 33)
    assert frame.drop(columns="energy_total").to_numpy().min() >= 0
    quartiles = np.percentile(frame["energy_total"], [25, 50, 75])
    assert quartiles == pytest.approx([3_685_857, 3_755_820, 3_830_819], rel=2e-3)
