"""Names and values in MLflow, and what must not get there."""

import pytest
from mlflow.utils.validation import _validate_metric

from support.sweeps import BASE, edited
from support.trials import record
from tuningsweep_api.spec.dataset import Dataset, DatasetFile, OpenMLDataset
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.secrets import public_url, without_secrets
from tuningsweep_trainer.tracking.dataset_input import name_of, source_of
from tuningsweep_trainer.tracking.translate import recordable, reported_metrics, sweep_parameters, trial_ended


def test_what_the_supervisor_measures_is_a_system_metric_and_the_objective_keeps_its_name() -> None:
    reported = {"memory_bytes": 1.0, "loss": 2.0}
    assert reported_metrics(reported, ["loss"]) == {"system/memory_bytes": 1.0, "loss": 2.0}
    assert reported_metrics(reported, ["memory_bytes"]) == {
        "system/memory_bytes": 1.0,
        "memory_bytes": 1.0,
        "loss": 2.0,
    }


@pytest.mark.parametrize(
    ("name", "recorded"),
    [
        ("validation_loss", "validation_loss"),
        ("val/top 5: acc", "val/top 5: acc"),
        ("acc@1", "acc_1"),
        ("f1[macro]", "f1_macro_"),
        ("val//loss", "val/loss"),
        ("/loss/", "loss"),
        ("a/../b/./c", "a/b/c"),
        ("..", "_"),
        ("é", "é"),
        ("x" * 300, "x" * 250),
        ("x" * 249 + "/y", "x" * 249),
    ],
)
def test_a_name_that_mlflow_would_refuse_becomes_one_that_it_takes(name: str, recorded: str) -> None:
    assert recordable(name) == recorded
    _validate_metric(recorded, 1.0, 0, 0)


def test_what_a_trial_used_is_told_with_when_it_ran() -> None:
    event = trial_ended(record("trial-0000", startTime="2026-01-02T03:00:00Z"))
    assert event.time_ms - event.first_ms == 60_000
    unknown = trial_ended(record("trial-0000"))
    assert unknown.first_ms == unknown.time_ms


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
    quoted = "nonnumeric port: 'hunter/2@host'"
    assert without_secrets(quoted, "s3://me:hunter%2F2@host/x") == "nonnumeric port: '***@host'"


@pytest.mark.parametrize("password", ["hunter2", "pa[ss", "pa]ss", "p@ss:word", "p?ss", "p#ss"])
def test_an_address_is_told_without_its_password_whatever_is_in_that(password: str) -> None:
    address = f"https://me:{password}@host:8080/data/x.csv?signature=abc#part"
    assert public_url(address) == "https://host:8080/data/x.csv"
    assert without_secrets(f"nonnumeric port: '{password}@host'", address) == "nonnumeric port: '***@host'"


@pytest.mark.parametrize("address", ["s3://bucket/x.parquet", "/mnt/data/x.csv", "https://host/a@b"])
def test_an_address_without_a_password_is_told_as_it_is(address: str) -> None:
    assert public_url(address) == address
