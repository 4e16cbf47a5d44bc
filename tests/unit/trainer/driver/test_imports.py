"""What starts with every sweep imports nothing that few sweeps need: each supervisor pays for it again."""

import subprocess
import sys

FOR_FEW = {"matplotlib", "mlflow", "openml", "optuna", "pynvml", "scipy", "sklearn"}


def test_driver_and_supervisor_load_nothing_heavy() -> None:
    modules = "tuningsweep_trainer.driver.run, tuningsweep_trainer.tracking.setup"
    code = f"import sys, {modules}; print(*sorted({FOR_FEW} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
