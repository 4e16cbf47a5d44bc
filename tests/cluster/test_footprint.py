"""What users pay for: the operator's image and memory (the rig prints the sizes of both images as it builds them)."""

import json
import time

import pytest

from cluster.sweeps import printed_by, restricted_pod
from support.kubectl import Kubectl
from support.patience import eventually
from support.sweeps import BASE, edited

SYSTEM = Kubectl("tuningsweep-system")
OPERATOR_LIMIT = 110 * 2**20


def operator_resident() -> int:
    """Resident memory of the operator's process, bytes, of the replica that takes most: the one that writes."""
    script = "print(open('/proc/1/statm').read())"
    pods = [pod["metadata"]["name"] for pod in SYSTEM.items("pods", "app.kubernetes.io/component=operator")]
    return max(int(SYSTEM.run("exec", pod, "--", "python", "-c", script).split()[1]) * 4096 for pod in pods)


@pytest.mark.disruptive
def test_operator_memory_with_ten_sweeps(kubectl: Kubectl) -> None:
    for number in range(10):
        kubectl.apply(edited(BASE, {"metadata.name": f"many-{number}", "spec.suspend": True}))
    eventually(
        lambda: all(s.get("status", {}).get("phase") == "Suspended" for s in kubectl.items("tuningsweeps")),
        "ten sweeps are reconciled",
    )
    time.sleep(2)
    resident = operator_resident()
    print(f"operator with ten sweeps: {resident / 2**20:.0f} MiB resident")
    assert resident < OPERATOR_LIMIT


def test_trainer_image_has_what_samples_need_that_run_elsewhere(kubectl: Kubectl) -> None:
    script = "import hyperopt, optuna, tuningsweep_trainer.examples.random_features as f; print(f.train)"
    assert "function train" in printed_by(kubectl, restricted_pod("python", "-c", script))


def test_operator_image_is_without_ray() -> None:
    names = ("ray", "sklearn", "mlflow")
    script = f"import importlib.util as u, json; print(json.dumps([n for n in {names} if u.find_spec(n)]))"
    assert json.loads(SYSTEM.run("exec", "deployment/tuningsweep-operator", "--", "python", "-c", script)) == []
