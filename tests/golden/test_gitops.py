"""The GitOps manifests build, and what they build is what people would expect to be applied."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.gitops import GITOPS, MANIFESTS, built
from tuningsweep_api.spec.sweep import TuningSweep

REMOTE_BASE = "https://github.com/tuningsweep/tuningsweep//manifests?ref=v0.1.0"
"""What a repository of your own refers to; here the same folder of this checkout."""
HEALTH_KEY = "resource.customizations.health.tuningsweep.io_TuningSweep"


def sweeps(overlay: str) -> dict[str, TuningSweep]:
    """The sweeps of an overlay of the sample repository, by name."""
    found = [TuningSweep.from_manifest(manifest) for manifest in built(GITOPS / "repository" / "overlays" / overlay)]
    return {sweep.metadata.name: sweep for sweep in found}


def test_overlays_change_what_they_are_for() -> None:
    laptop, production = sweeps("laptop"), sweeps("production")
    assert set(laptop) == set(production) == {"digits-svm", "diabetes-svm"}
    assert {sweep.spec.parallel_trial_count for sweep in laptop.values()} == {1}
    assert {sweep.queue for sweep in laptop.values()} == {None}
    assert {sweep.queue for sweep in production.values()} == {"team-queue"}
    assert {sweep.spec.limits.dump()["memory"] for sweep in production.values()} == {"400Mi"}


def test_argo_cd_gets_one_key_with_the_script() -> None:
    (config_map,) = built(GITOPS / "argocd")
    assert (config_map["metadata"]["name"], config_map["metadata"]["namespace"]) == ("argocd-cm", "argocd")
    assert config_map["data"] == {HEALTH_KEY: (GITOPS / "argocd" / "health.lua").read_text()}


def test_the_installation_is_a_base(tmp_path: Path) -> None:
    overlay = (GITOPS / "repository" / "operator" / "kustomization.yaml").read_text()
    assert REMOTE_BASE in overlay
    ours = tmp_path / "operator"
    ours.mkdir()
    (ours / "kustomization.yaml").write_text(overlay.replace(REMOTE_BASE, os.path.relpath(MANIFESTS, ours)))
    patched = built(ours)
    assert [manifest["kind"] for manifest in patched] == [manifest["kind"] for manifest in built(MANIFESTS)]
    (deployment,) = [manifest for manifest in patched if manifest["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    trainer = next(
        variable["value"] for variable in container["env"] if variable["name"] == "TUNINGSWEEP_TRAINER_IMAGE"
    )
    assert {image.rpartition("/")[0] for image in (container["image"], trainer)} == {"registry.example.com/tuningsweep"}


@pytest.mark.parametrize("path", sorted(GITOPS.glob("*/*.yaml")), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_what_is_applied_to_argo_cd_and_flux_speaks_of_the_same_place(path: Path) -> None:
    (manifest,) = [document for document in yaml.safe_load_all(path.read_text()) if document]
    assert places(manifest) <= {"https://git.example.com/team/sweeps.git", "overlays/production", "team"}


def places(manifest: dict[str, Any]) -> set[str]:
    """Repository, path and namespace that a manifest names."""
    spec = manifest.get("spec", {})
    source = spec.get("source", {})
    named = (source.get("repoURL"), source.get("path"), spec.get("url"), spec.get("path"), spec.get("targetNamespace"))
    return {str(name).removeprefix("./") for name in (*named, spec.get("destination", {}).get("namespace")) if name}
