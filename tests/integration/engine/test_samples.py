"""Samples that are only shown to the API server in tests/cluster/test_samples.py run unedited here, on a real Ray."""

from pathlib import Path

import pytest
import yaml

from support.samples import RUN_LOCALLY
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.driver.options import DriverOptions
from tuningsweep_trainer.driver.run import run_sweep


@pytest.mark.parametrize("sample", RUN_LOCALLY, ids=lambda sample: sample.stem)
def test_sample_completes(embedded_ray: Path, tmp_path: Path, sample: Path) -> None:
    sweep = TuningSweep.from_manifest(yaml.safe_load(sample.read_text()))
    state = run_sweep(sweep, DriverOptions(results=str(tmp_path), handle_signals=False))
    assert state.result is not None
    assert state.result.succeeded, state.result
    assert state.trials.total == sweep.spec.max_trial_count
