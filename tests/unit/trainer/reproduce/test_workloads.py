"""The seven workloads are the thesis' in every field, and vary as the reproduction says."""

import itertools

import pytest

from support.sweeps import sweep_manifest
from support.thesis import thesis_sweep, thesis_sweeps
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_cli.rendering import rendered
from tuningsweep_trainer.driver.search_space import choices
from tuningsweep_trainer.reproduce import workloads

GRID = {"batch_size": [30, 300, 3000, 30_000], "learning_rate": [0.1, 0.01, 0.001, 0.0001]}
SEVEN = {
    ("mnist-svm", "mnist_784", "linear-svm"),
    ("mnist-perceptron", "mnist_784", "perceptron"),
    ("diabetes-svm", "diabetes", "linear-svm"),
    ("diabetes-perceptron", "diabetes", "perceptron"),
    ("diabetes-logistic-regression", "diabetes", "logistic-regression"),
    ("red-wine-svm-regression", "red_wine", "svm-regression"),
    ("wave-energy-svm-regression", "wave_energy", "svm-regression"),
}


def test_the_manifests_are_the_seven_workloads() -> None:
    found = [workloads.labels(sweep) for sweep in thesis_sweeps()]
    assert {(each.workload, each.dataset, each.model) for each in found} == SEVEN
    assert not any(each.stand_in for each in found)


@pytest.mark.parametrize("sweep", thesis_sweeps(), ids=lambda sweep: sweep.metadata.name)
def test_each_is_the_whole_grid_with_random_batches_and_can_be_rendered(sweep: TuningSweep) -> None:
    assert {p.name: choices(p) for p in sweep.spec.parameters} == GRID
    assert sweep.spec.max_trial_count == len(list(itertools.product(*GRID.values())))
    assert workloads.builtin_of(sweep).shuffle
    assert sweep.spec.limits.memory is None
    assert rendered(sweep, "thesis", None)[-1]["kind"] == "RayJob"


def test_runs_differ_in_their_seed_alone() -> None:
    sweep = thesis_sweep("mnist-svm")
    first, third = workloads.of_run(sweep, 1), workloads.of_run(sweep, 3)
    assert [workloads.builtin_of(run).seed for run in (first, third)] == [1, 3]
    assert workloads.with_builtin(third, seed=1) == first
    assert not first.spec.tracking.enabled
    assert first.spec.limits.window_steps == 20, "a mean step time is over the steps since the last evaluation"


def test_few_steps_still_have_an_evaluation() -> None:
    few = workloads.builtin_of(workloads.with_steps(thesis_sweep("diabetes-svm"), 7))
    assert (few.steps, few.evaluate_every_steps) == (7, 7)


def test_made_up_rows_are_labelled_so() -> None:
    wave = thesis_sweep("wave-energy-svm-regression")
    stand_in = workloads.from_file(wave, "/tmp/wave_energy_synthetic.parquet")
    assert workloads.labels(stand_in).dataset == "wave_energy_synthetic"
    assert workloads.builtin_of(stand_in).dataset.target == "energy_total"
    for sweep in (stand_in, *map(workloads.quick, thesis_sweeps())):
        assert workloads.labels(sweep).stand_in
        assert workloads.openml_id(sweep) is None
        TuningSweep.from_manifest(sweep.dump())


def test_another_server_is_for_data_sets_from_openml() -> None:
    sweep = thesis_sweep("diabetes-svm")
    openml = workloads.builtin_of(workloads.from_server(sweep, "http://mirror/api")).dataset.openml
    assert openml is not None
    assert openml.server == "http://mirror/api"
    quick = workloads.quick(sweep)
    assert workloads.from_server(quick, "http://mirror/api") == quick


def test_other_sweeps_are_refused() -> None:
    own = sweep_manifest(spec__trainable={"function": "code:train"})
    with pytest.raises(ValueError, match=r"spec\.trainable\.builtin is missing"):
        workloads.labels(TuningSweep.from_manifest(own))
