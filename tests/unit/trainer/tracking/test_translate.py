"""Names and values in MLflow, and what must not get there."""

import pytest

from support.sweeps import BASE, edited
from tuningsweep_api.spec.dataset import Dataset, DatasetFile, OpenMLDataset
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.tracking.dataset_input import name_of, source_of
from tuningsweep_trainer.tracking.secrets import without_secrets
from tuningsweep_trainer.tracking.translate import reported_metrics, sweep_parameters


def test_what_the_supervisor_measures_is_a_system_metric_and_the_objective_keeps_its_name() -> None:
    reported = {"memory_bytes": 1.0, "loss": 2.0}
    assert reported_metrics(reported, ["loss"]) == {"system/memory_bytes": 1.0, "loss": 2.0}
    assert reported_metrics(reported, ["memory_bytes"]) == {
        "system/memory_bytes": 1.0,
        "memory_bytes": 1.0,
        "loss": 2.0,
    }


def test_the_parent_run_has_a_bounded_number_of_parameters() -> None:
    space = [{"name": f"p{n}", "parameterType": "double", "feasibleSpace": {"min": "0", "max": "1"}} for n in range(32)]
    arguments = {f"a{n}": "1" for n in range(64)}
    spec = TuningSweep.from_manifest(
        edited(
            BASE,
            {"spec.parameters": space, "spec.trainable": {"function": "module:function", "arguments": arguments}},
        )
    ).spec
    assert 96 < len(sweep_parameters(spec)) < 120


@pytest.mark.parametrize(
    ("location", "kind", "source", "name"),
    [
        ("https://me:secret@host/a/rows.csv", "http", {"url": "https://host/a/rows.csv"}, "rows.csv"),
        ("s3://bucket/rows.parquet", "s3", {"uri": "s3://bucket/rows.parquet"}, "rows.parquet"),
        ("/data/rows.csv", "local", {"uri": "/data/rows.csv"}, "rows.csv"),
    ],
)
def test_sources_are_told_without_credentials(location: str, kind: str, source: dict[str, str], name: str) -> None:
    dataset = Dataset(file=DatasetFile(location=location), target="y")
    assert source_of(dataset) == (kind, source)
    assert name_of(dataset) == name


def test_an_openml_source_is_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TUNINGSWEEP_OPENML_SERVER", raising=False)
    dataset = Dataset(openml=OpenMLDataset(name="mnist_784", version=1))
    kind, source = source_of(dataset)
    assert (kind, source["url"]) == (
        "http",
        "https://www.openml.org/api/v1/xml/data/list/data_name/mnist_784/data_version/1",
    )
    assert name_of(dataset) == "mnist_784-v1"


def test_messages_for_the_log_have_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "a-long-token")
    message = "401 of https://me:pw@host/x with Bearer a-long-token"
    assert without_secrets(message) == "401 of https://host/x with Bearer ***"
