"""The pod that reads a finished sweep's claim: restricted, read-only, short-lived, and not counted as one of the sweep's."""

from typing import Any, cast

from support.sweeps import BASE
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_cli.cluster import Cluster, NotFoundError
from tuningsweep_cli.source.pod_store import LIFETIME_SECONDS, head_of, reader_pod
from tuningsweep_operator.builders.config_map import build_config_map
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


class Queued:
    """A cluster where the RayJob of a sweep in a queue has been given back."""

    def get(self, resource: Any, name: str) -> dict[str, Any]:
        if resource.plural == "rayjobs":
            raise NotFoundError(f'rayjobs.ray.io "{name}" not found')
        assert (resource.plural, name) == ("configmaps", "digits-svm-sweep")
        return build_config_map(SWEEP, Settings(trainer_image="mine:2"))


def test_without_a_ray_job_the_pod_is_made_as_its_head_would_be() -> None:
    head = head_of(cast("Cluster", Queued()), SWEEP)
    assert head["containers"][0]["image"] == "mine:2"
    assert reader_pod(SWEEP, head)["spec"]["containers"][0]["image"] == "mine:2"
