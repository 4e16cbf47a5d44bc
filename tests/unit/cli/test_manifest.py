"""Reading manifests: sentences that name the field, one sweep a file."""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from support.sweeps import BASE, edited
from tuningsweep_cli.main import app
from tuningsweep_cli.manifest import BadManifestError, load_sweep

CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "code"}}


def written(folder: Path, *documents: object) -> Path:
    path = folder / "sweep.yaml"
    path.write_text(yaml.safe_dump_all(documents))
    return path


def test_other_objects_beside_the_sweep_are_passed_over(tmp_path: Path) -> None:
    assert load_sweep(written(tmp_path, CONFIG_MAP, BASE)).metadata.name == "digits-svm"


@pytest.mark.parametrize(
    ("documents", "says"),
    [
        ((CONFIG_MAP,), "holds 0 objects of kind TuningSweep"),
        ((BASE, BASE), "holds 2 objects of kind TuningSweep"),
        ((edited(BASE, {"spec.limits.memory": "5MB"}),), "spec.limits.memory"),
        ((edited(BASE, {"spec.paralel": 2}),), "spec.paralel: unknown field"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, documents: tuple[object, ...], says: str) -> None:
    with pytest.raises(BadManifestError, match=says):
        load_sweep(written(tmp_path, *documents))


def test_files_that_are_not_there_or_not_yaml(tmp_path: Path) -> None:
    with pytest.raises(BadManifestError, match="No such file"):
        load_sweep(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("a: [")
    with pytest.raises(BadManifestError, match="is not YAML"):
        load_sweep(tmp_path / "bad.yaml")


@pytest.mark.parametrize("spec", ["&loop {limits: *loop}", "{? [a, b] : c}"])
def test_yaml_that_is_no_json_is_refused_in_a_sentence(tmp_path: Path, spec: str) -> None:
    path = tmp_path / "sweep.yaml"
    path.write_text(f"apiVersion: tuningsweep.io/v1alpha1\nkind: TuningSweep\nmetadata: {{name: a}}\nspec: {spec}\n")
    with pytest.raises(BadManifestError, match=r"JSON|YAML"):
        load_sweep(path)


def test_validate_has_exit_codes(tmp_path: Path) -> None:
    good = CliRunner().invoke(app, ["validate", str(written(tmp_path, BASE))])
    assert (good.exit_code, good.output.strip()) == (0, "digits-svm is valid")
    bad = CliRunner().invoke(app, ["validate", str(written(tmp_path, edited(BASE, {"spec.parameters": []})))])
    assert bad.exit_code == 2
    assert "spec.parameters" in bad.output


def test_run_refuses_bad_input_before_anything_starts(tmp_path: Path) -> None:
    bad = written(tmp_path, edited(BASE, {"spec.parameters": []}))
    result = CliRunner().invoke(app, ["run", str(bad), "--results", str(tmp_path / "results")])
    assert result.exit_code == 2
    assert not (tmp_path / "results").exists()


def test_every_sample_is_valid() -> None:
    samples = sorted((Path(__file__).parents[3] / "manifests" / "samples").rglob("*.yaml"))
    assert samples
    for sample in samples:
        load_sweep(sample)
