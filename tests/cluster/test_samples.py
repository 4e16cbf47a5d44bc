"""Every sample works unedited: the API server takes it, and after `kubectl apply -f` it is Complete.

Three of them are run in tests/integration/engine/test_samples.py instead.
"""

from pathlib import Path

import pytest
import yaml

from cluster.sweeps import wait_condition
from support.kubectl import Kubectl
from support.samples import FOLDER, RUN_LOCALLY, RUN_ON_CLUSTER


def sweep_name(sample: Path) -> str:
    """Name of the one TuningSweep in a sample file."""
    (name,) = (d["metadata"]["name"] for d in yaml.safe_load_all(sample.read_text()) if d["kind"] == "TuningSweep")
    return str(name)


def test_all_are_accepted_as_they_are(kubectl: Kubectl) -> None:
    accepted = kubectl.run("apply", "--dry-run=server", "-f", str(FOLDER)).splitlines()
    assert len(accepted) == len(RUN_ON_CLUSTER) + len(RUN_LOCALLY)


@pytest.mark.long
@pytest.mark.parametrize("sample", RUN_ON_CLUSTER, ids=lambda sample: sample.stem)
def test_sample_completes(kubectl: Kubectl, sample: Path) -> None:
    kubectl.run("apply", "-f", str(sample))
    sweep = wait_condition(kubectl, sweep_name(sample), "Complete")
    print(sample.name, sweep["status"]["trials"])
