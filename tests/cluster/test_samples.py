"""Every sample works unedited: `kubectl apply -f`, then it is Complete."""

from pathlib import Path

import pytest
import yaml

from cluster.sweeps import wait_condition
from support.kubectl import Kubectl

SAMPLES = sorted((Path(__file__).parents[2] / "manifests" / "samples").glob("*.yaml"))


def sweep_name(sample: Path) -> str:
    """Name of the one TuningSweep in a sample file."""
    (name,) = (d["metadata"]["name"] for d in yaml.safe_load_all(sample.read_text()) if d["kind"] == "TuningSweep")
    return str(name)


def test_there_are_samples() -> None:
    assert SAMPLES


@pytest.mark.long
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_sample_completes(kubectl: Kubectl, sample: Path) -> None:
    kubectl.run("apply", "-f", str(sample))
    sweep = wait_condition(kubectl, sweep_name(sample), "Complete")
    print(sample.name, sweep["status"]["trials"])
