"""The pod that reads a finished sweep's claim: restricted, read-only, short-lived, and not counted as one of the sweep's."""

from support.sweeps import BASE
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_cli.source.pod_store import LIFETIME_SECONDS, reader_pod
from tuningsweep_operator.builders.pods import build_head_pod
from tuningsweep_operator.settings import Settings

SWEEP = TuningSweep.from_manifest(BASE)
HEAD = build_head_pod(SWEEP, Settings(), runs_trials=False, autoscaled=False)["spec"]


def test_the_pod_mounts_the_claim_read_only_and_ends_by_itself() -> None:
    spec = reader_pod(SWEEP, HEAD)["spec"]
    (container,) = spec["containers"]
    assert spec["volumes"] == [
        {"name": "results", "persistentVolumeClaim": {"claimName": "digits-svm-results", "readOnly": True}}
    ]
    assert container["volumeMounts"] == [{"name": "results", "mountPath": "/var/lib/tuningsweep", "readOnly": True}]
    assert container["image"] == Settings().trainer_image
    assert spec["activeDeadlineSeconds"] == LIFETIME_SECONDS
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }


def test_the_pod_is_owned_by_the_sweep_but_does_not_carry_its_label() -> None:
    metadata = reader_pod(SWEEP, HEAD)["metadata"]
    assert metadata["ownerReferences"][0]["name"] == "digits-svm"
    assert "tuningsweep.io/sweep" not in metadata["labels"]


def test_the_pod_goes_where_the_head_may_go() -> None:
    placed = {**HEAD, "nodeSelector": {"disk": "fast"}, "tolerations": [{"operator": "Exists"}]}
    spec = reader_pod(SWEEP, placed)["spec"]
    assert (spec["nodeSelector"], spec["tolerations"]) == ({"disk": "fast"}, [{"operator": "Exists"}])
