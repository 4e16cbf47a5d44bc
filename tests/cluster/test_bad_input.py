"""Issue A(h): what the API server refuses, and that it accepts what we accept."""

import secrets
from collections.abc import Iterator

import pytest

from support.api_server import KubectlError
from support.bad_input import BAD_EDITS, BAD_MANIFESTS, BadEdit, BadInput
from support.kubectl import Kubectl
from support.patience import eventually
from support.sweeps import BASE, edited


def test_the_base_manifest_is_accepted(kubectl: Kubectl) -> None:
    assert "created (server dry run)" in kubectl.apply(BASE, dry_run=True)


@pytest.mark.parametrize("case", BAD_MANIFESTS, ids=lambda case: case.name)
def test_bad_manifest_is_refused(cluster: Kubectl, case: BadInput) -> None:
    assert case.says in Kubectl("default").refusal("tuningsweep", edited(BASE, case.edits))


@pytest.mark.parametrize("case", BAD_MANIFESTS[::20], ids=lambda case: case.name)
def test_kubectl_shows_why(cluster: Kubectl, case: BadInput) -> None:
    with pytest.raises(KubectlError) as refused:
        Kubectl("default").apply(edited(BASE, case.edits), dry_run=True)
    assert case.says in str(refused.value)


@pytest.fixture(scope="module")
def suspended(cluster: Kubectl) -> Iterator[Kubectl]:
    """A namespace with a suspended sweep to edit; each process of tests has its own."""
    name = f"bad-input-{secrets.token_hex(3)}"  # the one of an earlier run may still be on its way out
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    kubectl = Kubectl(name)
    # Again if need be: right after its CRD was installed, the API server may refuse to create what it has just created.
    eventually(lambda: kubectl.apply(edited(BASE, {"spec.suspend": True})), "a suspended sweep")
    yield kubectl
    kubectl.run("delete", "tuningsweep", BASE["metadata"]["name"], "--timeout=120s")
    cluster.run("delete", "namespace", name, "--wait=false")


@pytest.mark.parametrize("case", BAD_EDITS, ids=lambda case: case.name)
def test_bad_edit_is_refused(suspended: Kubectl, case: BadEdit) -> None:
    with pytest.raises(KubectlError) as refused:
        suspended.apply(edited(BASE, {"spec.suspend": True, **case.edits}), dry_run=True)
    assert case.says in str(refused.value)


def test_mutable_fields_may_be_edited(suspended: Kubectl) -> None:
    edits = {
        "spec.suspend": True,
        "spec.limits": {"memory": "1Gi", "action": "Warn"},
        "spec.parallelTrialCount": 1,
        "spec.maxTrialCount": 40,
        "spec.maxFailedTrialCount": 1,
        "spec.activeDeadlineSeconds": 600,
        "spec.ttlSecondsAfterFinished": 60,
    }
    assert "configured" in suspended.apply(edited(BASE, edits), dry_run=True)


@pytest.mark.parametrize(
    "field", ["limits", "parameters.feasibleSpace", "trainable.builtin.dataset", "storage", "scheduler"]
)
def test_explain_gives_help_for_fields(cluster: Kubectl, field: str) -> None:
    printed = cluster.run("explain", f"tuningsweep.spec.{field}")
    assert "DESCRIPTION" in printed
    assert "<no description>" not in printed
