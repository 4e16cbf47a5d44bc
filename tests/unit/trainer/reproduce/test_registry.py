"""The thesis's figures are all there, once each, with the quantities and workloads that belong to them."""

import json
import re

import pytest

from support import tidy_data
from tuningsweep_trainer.report.figures.theme import vega_config
from tuningsweep_trainer.reproduce.figures.thesis import thesis_figures
from tuningsweep_trainer.reproduce.registry import FIGURES


def test_figures_5_to_28_without_a_gap() -> None:
    assert [figure.number for figure in FIGURES] == list(range(5, 29))
    assert len({figure.title.split(". ")[1] for figure in FIGURES}) == 24


def test_every_quantity_is_drawn_within_runs_and_for_each_group() -> None:
    drawn = [{q.column for figure in FIGURES[i : i + 6] for q in figure.quantities} for i in range(0, 24, 6)]
    shared = {"train_loss", "validation_loss", "mean_step_seconds", "cpu_percent", "memory_bytes"}
    assert drawn == [
        shared | {"accuracy", "rmse"},
        shared | {"accuracy", "duration_seconds"},
        shared | {"accuracy", "duration_seconds"},
        shared | {"rmse", "duration_seconds"},
    ]


@pytest.fixture(scope="module")
def figures():
    trials = tidy_data.trials("mnist-svm", "diabetes-perceptron", "wine-svm", "wave-energy-svm")
    return {figure.name: figure for figure in thesis_figures(tidy_data.tidy(trials, tidy_data.samples(trials)))}


@pytest.mark.parametrize(
    ("name", "workloads"),
    [
        ("figure-10", {"mnist-svm", "diabetes-perceptron", "wine-svm", "wave-energy-svm (stand-in data)"}),
        ("figure-06", {"mnist-svm", "diabetes-perceptron"}),
        ("figure-16", {"mnist-svm"}),
        ("figure-19", {"diabetes-perceptron"}),
        ("figure-24", {"wine-svm", "wave-energy-svm (stand-in data)"}),
    ],
)
def test_a_figure_holds_its_workloads_with_the_stand_in_named(figures, name, workloads) -> None:
    assert {row["workload"] for row in figures[name].data["points"]} == workloads


def test_a_figure_by_setting_has_a_row_for_each_configuration_and_one_of_losses_two(figures) -> None:
    assert len(figures["figure-16"].data["points"]) == 16
    assert [row["series"] for row in figures["figure-11"].data["points"]].count("validation loss") == 16
    assert figures["figure-16"].data["points"][0]["mean"] == pytest.approx(200.0)


def test_the_table_behind_a_figure_has_all_its_columns(figures) -> None:
    for figure in figures.values():
        assert {column.key for column in figure.columns} <= set(figure.data["points"][0])


def test_a_figure_without_data_says_so(figures) -> None:
    empty = thesis_figures(tidy_data.tidy(tidy_data.trials("wine-svm")))
    assert [figure.name for figure in empty if figure.chart is not None] == [f"figure-{n}" for n in range(23, 29)]
    assert empty[0].about.startswith("Not measured")


def test_panels_name_no_colour_so_that_they_serve_light_and_dark(figures) -> None:
    for figure in figures.values():
        assert not re.search(r"#[0-9a-fA-F]{6}|black", json.dumps(figure.chart))
    assert vega_config(dark=True)["title"]["color"] != vega_config(dark=False)["title"]["color"]
    assert vega_config(dark=True)["header"]["labelColor"] != vega_config(dark=False)["header"]["labelColor"]
