"""The reproduction's page in a real headless browser: every figure of the thesis drawn, light and dark, fetching nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from support.browser import VIEWS, Seen, background, look_and_keep, wider_than_the_screen
from support.tidy_data import WORKLOADS, samples, sweep, tidy, trials, write
from tuningsweep_trainer.reproduce import pages
from tuningsweep_trainer.reproduce.averages import label
from tuningsweep_trainer.workloads.losses import BOUND

MNIST, DIABETES = {"mnist-svm", "mnist-perceptron"}, {name for name in WORKLOADS if name.startswith("diabetes")}
REGRESSION = {"wine-svm", "wave-energy-svm (stand-in data)"}
EVERYTHING = MNIST | DIABETES | REGRESSION
PANELS = {
    **dict.fromkeys(range(5, 11), EVERYTHING),
    6: MNIST | DIABETES,
    7: REGRESSION,
    **dict.fromkeys(range(11, 17), MNIST),
    **dict.fromkeys(range(17, 23), DIABETES),
    **dict.fromkeys(range(23, 29), REGRESSION),
}
"""Workloads by figure: 6 is accuracy, 7 the error of a regression."""
MARKS = "g.mark-symbol path, g.mark-line path, g.mark-rect path"


def by_setting(row: dict[str, Any]) -> dict[str, Any]:
    """Memory and step time grow with the batch; one trial's losses left the range of float64."""
    share = row["batch_size"] / 30_000
    changed = {"mean_step_seconds": 0.001 + 0.5 * share, "memory_bytes": row["memory_bytes"] * (1 + share)}
    if (row["workload"], row["trial"], row["run"]) == ("wine-svm", "trial-0003", 1):
        changed |= dict.fromkeys(("train_loss", "validation_loss", "rmse"), BOUND)
    return changed


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of seven workloads in three runs each, and of sweeps with and without limits."""
    results = tmp_path_factory.mktemp("reproduction")
    runs = trials(*WORKLOADS, change=by_setting)
    sweeps = sweep("none"), sweep("limits", cpu_seconds=75.0, stopped=4)
    with pytest.MonkeyPatch.context() as without:
        without.setattr(pages, "_images", lambda *_: [])  # they are proven in test_quick.py
        pages.write_pages(write(tidy(runs, samples(runs), *sweeps), results), None)
    return results / "reproduction.html"


@pytest.fixture(scope="module", params=("dark", "phone"))
def seen(request: pytest.FixtureRequest, browser: Browser, page: Path) -> Iterator[Seen]:
    yield from look_and_keep(request, browser, page)


def test_the_page_is_silent_and_fetches_nothing_but_itself(seen: Seen, page: Path) -> None:
    assert seen.console == []
    assert seen.requests == [page.as_uri()]


def test_figures_5_to_28_and_the_savings_are_drawn_in_order(seen: Seen) -> None:
    drawn = seen.page.locator("[data-figure]").evaluate_all("found => found.map(one => one.dataset.figure)")
    assert drawn == [*(f"figure-{number:02d}" for number in sorted(PANELS)), "savings"]
    for name in drawn:
        drawing = seen.page.locator(f"[data-figure={name}] svg")
        box = drawing.bounding_box()
        assert box is not None, name
        assert box["width"] > 250, name
        assert box["height"] > 80, name
        assert drawing.locator(MARKS).count() >= 2, name
        described = seen.page.locator(f"[data-figure={name}][role=graphics-document]")
        assert len(described.get_attribute("aria-label") or "") > 20, name


def test_every_figure_has_the_workloads_it_is_about(seen: Seen) -> None:
    labels = {label(name, stand_in="synthetic" in dataset) for name, (dataset, _, _) in WORKLOADS.items()}
    assert labels == EVERYTHING
    for number, workloads in PANELS.items():
        texts = seen.page.locator(f"[data-figure=figure-{number:02d}] svg text").all_text_contents()
        assert labels & set(texts) == workloads, number


def test_a_figure_says_which_trials_it_leaves_out(seen: Seen) -> None:
    left_out = "1 trial that diverged beyond float64 is not drawn."
    saying = {number for number in PANELS if left_out in seen.page.locator(f"#figure-{number:02d}").inner_text()}
    assert saying == {5, 7, 23, 24}, "losses and errors of regression"


def test_names_in_sentences_are_code(seen: Seen) -> None:
    assert "`" not in seen.page.locator("main").inner_text()
    assert "limits" in seen.page.locator("#open-question li code").all_inner_texts()


def test_nothing_is_wider_than_the_screen(seen: Seen) -> None:
    assert not wider_than_the_screen(seen.page)


def test_light_and_dark_follow_the_system_and_the_switch(
    seen: Seen, page: Path, request: pytest.FixtureRequest
) -> None:
    """Last, for it leaves the page as the system does not ask for it."""
    scheme, _ = VIEWS[request.node.callspec.params["seen"]]
    before = background(seen.page)
    assert seen.page.locator("html").get_attribute("data-drawn") == scheme
    seen.page.click("#theme")
    seen.page.wait_for_selector(f"html[data-drawn={'light' if scheme == 'dark' else 'dark'}]")
    assert background(seen.page) != before
    assert seen.console == []
    assert seen.requests == [page.as_uri()]
