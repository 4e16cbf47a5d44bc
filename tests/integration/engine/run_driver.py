"""A local sweep in a process of its own, so that a test can kill it: RESULTS RAY_FOLDER EDITS."""

import json
import sys

from integration.engine.conftest import PYTHON_PATH, sweep_of
from tuningsweep_trainer.driver.options import DriverOptions
from tuningsweep_trainer.driver.run import run_sweep

results, ray_folder, edits = sys.argv[1:]
options = DriverOptions(results=results, ray_temp_dir=ray_folder, python_path=PYTHON_PATH, preflight=False)
state = run_sweep(sweep_of(json.loads(edits)), options)
print(state.model_dump_json(by_alias=True))
