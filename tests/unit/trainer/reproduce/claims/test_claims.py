"""Every claim on data where it holds and on data where it does not."""

import json
import math

import numpy as np
import pytest

from support.tidy_data import MIB, samples, sweep, tidy, trials
from tuningsweep_trainer.reproduce.claims import limit, quality, settings, within
from tuningsweep_trainer.reproduce.claims.table import claims


def rising(column, factor=2.0, by="batch_size"):
    """The column grows `factor` for every ten times of a setting."""
    return lambda row: {column: row[column] * factor ** math.log10(row[by])}


def swinging(column, by):
    """The column swings around its level by a part of it."""
    return lambda row, share: {column: row[column] * (1 + by * np.where(np.arange(len(share)) % 2, 1, -1))}


def of(found, name):
    return [claim for claim in found if claim.statement.id == name]


COLUMNS = {"level-mean-step": "mean_step_seconds", "level-memory": "memory_bytes", "level-cpu-percent": "cpu_percent"}


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize(("swing", "agrees"), [(0.02, True), (0.3, False)])
def test_level_within_a_run(name, swing, agrees) -> None:
    runs = trials("mnist-svm")
    (claim,) = of(within.level(tidy(runs, samples(runs, swinging(COLUMNS[name], swing)))), name)
    assert claim.measured == pytest.approx(100 * swing, rel=0.1)
    assert claim.interval == pytest.approx((claim.measured, claim.measured))
    assert claim.agrees is agrees
    assert claim.n == 48


def test_warm_up_does_not_count_against_level() -> None:
    runs = trials("mnist-svm")
    grown = samples(runs, lambda row, share: {"memory_bytes": row["memory_bytes"] * np.where(share <= 0.1, 0.5, 1.0)})
    (claim,) = of(within.level(tidy(runs, grown)), "level-memory")
    assert claim.measured == pytest.approx(0.0, abs=1e-9)
    (start,) = within.memory_from_start(tidy(runs, grown))
    assert start.measured == pytest.approx(100.0)
    assert start.agrees is False


def test_mean_step_time_is_judged_between_evaluations_only() -> None:
    def course(row, share):
        looks = np.arange(len(share)) % 2 == 1
        return {
            "mean_step_seconds": row["mean_step_seconds"] * np.where(looks, 3.0, 1.0),
            "validation_loss": np.where(looks, np.nan, 0.5),
        }

    runs = trials("mnist-svm")
    (claim,) = of(within.level(tidy(runs, samples(runs, course))), "level-mean-step")
    assert claim.measured == pytest.approx(0.0, abs=1e-9)


def test_memory_level_from_the_start() -> None:
    runs = trials("mnist-svm")
    (claim,) = within.memory_from_start(tidy(runs, samples(runs)))
    assert claim.measured == pytest.approx(0.0, abs=1e-9)
    assert claim.agrees is True


def test_runs_of_few_samples_are_not_measured() -> None:
    runs = trials("mnist-svm")
    few = samples(runs)
    (claim,) = within.memory_from_start(tidy(runs, few[few["step"] <= 40]))
    assert (claim.measured, claim.agrees) == (None, None)
    assert claim.note == "not measured: no trial has 5 samples after warm-up"


@pytest.mark.parametrize("column", ["mean_step_seconds", "memory_bytes", "cpu_percent"])
def test_learning_rate(column) -> None:
    same, rises = (
        {claim.agrees for claim in settings.learning_rate(tidy(runs)) if column_of(claim) == column}
        for runs in (trials("mnist-svm"), trials("mnist-svm", change=rising(column, by="learning_rate")))
    )
    assert same == {True}
    assert rises == {False}


def column_of(claim):
    return {"mean-step-time": "mean_step_seconds", "memory": "memory_bytes", "cpu": "cpu_percent"}[
        claim.statement.id.removeprefix("learning-rate-").removeprefix("batch-size-")
    ]


@pytest.mark.parametrize(("factor", "agrees"), [(2.0, True), (1.0, False), (0.5, False)])
def test_batch_size_on_large_data_sets(factor, agrees) -> None:
    for column in ("mean_step_seconds", "memory_bytes"):
        runs = trials("mnist-svm", "diabetes-svm", change=rising(column, factor))
        (claim,) = [claim for claim in settings.batch_size(tidy(runs)) if column_of(claim) == column]
        assert claim.workload == "mnist-svm", "the claim is about large data sets"
        assert claim.agrees is agrees
        assert f"30,000 against 30: factor {factor**3:.4g}" in claim.note


def test_batch_size_without_large_data_sets() -> None:
    found = settings.batch_size(tidy(trials("diabetes-svm")))
    assert [claim.note for claim in found] == ["not measured: no trial on a large data set"] * 2


def test_one_run_is_not_told_from_noise() -> None:
    runs = trials("mnist-svm")
    found = settings.learning_rate(tidy(runs[runs["run"] == 1]))
    assert {claim.agrees for claim in found} == {None}
    assert all(claim.note.startswith("not measured: no configuration was run twice") for claim in found)


def test_cpu_is_no_measure() -> None:
    (same,) = settings.cpu(tidy(trials("mnist-svm", change=rising("mean_step_seconds"))))
    (differs,) = settings.cpu(tidy(trials("mnist-svm", change=rising("cpu_percent", 0.9))))
    assert (same.agrees, differs.agrees) == (True, False)
    assert same.note == "mean 99.0 %; mean step time differs by a factor of 8"
    assert differs.measured == pytest.approx(1 / 0.9**3)


def test_runs_over_400_mb() -> None:
    def large(row):
        return {"peak_memory_bytes": (500 if row["batch_size"] == 30000 else 100) * MIB}

    over, stopped = trials("mnist-svm", change=large), [sweep("400Mi", run, stopped=4) for run in (1, 2, 3)]
    (agrees,) = limit.runs_over_400(tidy(over, None, *stopped))
    assert (agrees.measured, agrees.agrees) == (25.0, True)
    (spared,) = limit.runs_over_400(tidy(over, None, *[sweep("400Mi", run) for run in (1, 2, 3)]))
    assert (spared.measured, spared.agrees) == (0.0, False)
    (none_over,) = limit.runs_over_400(tidy(trials("mnist-svm"), None, sweep("400Mi")))
    assert none_over.agrees is False
    assert "without limits 0 of 48 go over it, highest 210 MiB" in none_over.note
    (not_run,) = limit.runs_over_400(tidy(over))
    assert not_run.measured is None


def test_accuracy_on_mnist_is_that_of_the_best_configuration() -> None:
    def best(row):
        return {"accuracy": 0.95} if (row["batch_size"], row["learning_rate"]) == (300, 0.01) else {}

    (claim,) = quality.mnist_accuracy(tidy(trials("mnist-svm", "diabetes-svm", change=best)))
    assert claim.measured == pytest.approx(95.0)
    assert claim.agrees is None
    assert claim.note.startswith("batch size 300, learning rate 0.01")


def test_svm_beside_perceptron() -> None:
    def better(row):
        return (
            {"accuracy": 0.96, "memory_bytes": 2 * row["memory_bytes"]}
            if row["model"] == "linear-svm"
            else {"accuracy": 0.9}
        )

    found = quality.models(tidy(trials("mnist-svm", "mnist-perceptron", "diabetes-svm", change=better)))
    assert [(claim.workload, claim.agrees) for claim in found] == [("mnist_784", None)] * 3
    assert [claim.measured for claim in found] == pytest.approx([6.0, 1.0, 2.0])
    assert {claim.measured for claim in quality.models(tidy(trials("mnist-svm")))} == {None}


def test_every_claim_is_an_entry_of_claims_json_on_any_part_of_the_data() -> None:
    for data in (tidy(trials("wine-svm")), tidy(trials("mnist-svm"), samples(trials("mnist-svm")), sweep("400Mi"))):
        found = claims(data)
        assert len({claim.statement.id for claim in found}) == 15
        entries = json.loads(json.dumps([claim.as_json() for claim in found], allow_nan=False))
        assert all({"claim", "measured", "interval", "agrees"} <= set(entry) for entry in entries)


def test_stand_in_data_are_named_in_every_claim() -> None:
    runs = trials("wave-energy-svm")
    measured = [claim for claim in claims(tidy(runs, samples(runs))) if claim.measured is not None]
    assert {claim.workload for claim in measured} == {"wave-energy-svm (stand-in data)"}
