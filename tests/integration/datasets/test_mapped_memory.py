"""Mapping a prepared data set costs a trial no memory of its own: RSS-SHR stays where it was."""

import json
import subprocess
import sys

from tuningsweep_api.spec.dataset import Dataset, GeneratedDataset
from tuningsweep_api.spec.trainable import Task
from tuningsweep_trainer.datasets.store import prepare

READER = """
import json, os, sys
from tuningsweep_api.spec.trainable import BuiltinTrainable
from tuningsweep_trainer.datasets.store import PreparedRef, attach
from tuningsweep_trainer.workloads.builtin import train

def statm():
    with open("/proc/self/statm") as file:
        resident, shared = map(int, file.read().split()[1:3])
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE"), shared * os.sysconf("SC_PAGE_SIZE")

spec = BuiltinTrainable.model_validate_json(sys.argv[1])
sys.stdout = sys.stderr
warm, large = (PreparedRef.model_validate_json(text) for text in sys.argv[2:])
train({"batch_size": 256}, None, spec=spec, arrays=attach(warm))
before, shared_before = statm()
data = attach(large)
total = sum(float(block.sum()) for block in (data.training_features, data.validation_features))
mapped, shared = statm()
train({"batch_size": 10**9}, None, spec=spec, arrays=data)
after, _ = statm()
sys.__stdout__.write(json.dumps({"private": mapped - before, "trained": after - before, "shared": shared - shared_before}))
"""


def test_reading_200_mb_grows_the_shared_part_alone(tmp_path):
    def prepared(rows: int):
        dataset = Dataset(generated=GeneratedDataset(rows=rows, features=250))
        return dataset, prepare(dataset, Task.REGRESSION, 0, tmp_path).model_dump_json()

    dataset, large = prepared(100_000)
    _, warm = prepared(1000)
    spec = {
        "model": "linearRegression",
        "task": "regression",
        "dataset": dataset.dump(),
        "steps": 2,
        "evaluateEverySteps": 1,
    }
    result = subprocess.run(
        [sys.executable, "-c", READER, json.dumps(spec), warm, large], capture_output=True, text=True, check=True
    )
    growth = json.loads(result.stdout)
    assert growth["shared"] > 190e6, "the rows were read through the mapping"
    assert growth["private"] < 5e6
    assert growth["trained"] < 20e6, "a batch of all rows is trained on without a copy of its features"
