"""The report in a real headless browser: drawn in light, dark and on a phone, silent, fetching nothing, usable."""

import struct
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import VIEWS, Seen, background, look, look_and_keep, wider_than_the_screen
from support.example_results import HOSTILE, HOSTILE_NAME, write_results
from support.results import START
from tuningsweep_trainer.report.write import Written, write_report

TRIALS, RUNNING = 60, 2
FIGURES = ("pareto", "order", "parallel", "memory", "mean-step-time", "longest-step", "timeline")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("report")
    source = write_results(folder / "results", TRIALS, running=RUNNING)
    return write_report(str(source), folder / "report.html", pngs=True, now=START + timedelta(seconds=150))


@pytest.fixture(scope="module", params=VIEWS)
def seen(request: pytest.FixtureRequest, browser: Browser, report: Written) -> Iterator[Seen]:
    yield from look_and_keep(request, browser, report.page)


def test_the_page_is_silent_and_fetches_nothing_but_itself(seen: Seen, report: Written) -> None:
    assert seen.console == []
    assert seen.requests == [report.page.as_uri()]


def test_every_figure_is_drawn_and_has_words_for_those_who_do_not_see_it(seen: Seen) -> None:
    assert seen.page.locator("[data-figure]").count() == len(FIGURES)
    for name in FIGURES:
        drawing = seen.page.locator(f"[data-figure={name}] svg")
        box = drawing.bounding_box()
        assert box is not None
        assert box["width"] > 250
        assert box["height"] > 80
        assert drawing.locator("g.mark-symbol path, g.mark-line path, g.mark-rect path").count() > TRIALS / 2
        described = seen.page.locator(f"[data-figure={name}][role=graphics-document]")
        assert len(described.get_attribute("aria-label") or "") > 20


def test_nothing_is_wider_than_the_screen(seen: Seen) -> None:
    assert not wider_than_the_screen(seen.page)


def test_limits_are_in_the_figures(seen: Seen) -> None:
    texts = seen.page.locator("[data-figure=memory] svg text").all_text_contents()
    assert any(text.startswith("limit 300 MiB, from the start") for text in texts)
    assert any(text.startswith("limit 250 MiB, from ") for text in texts)


def test_text_of_a_user_is_shown_and_never_run(seen: Seen) -> None:
    assert HOSTILE in seen.page.locator("[data-table=stops]").inner_text()
    assert any(HOSTILE_NAME in head for head in seen.page.locator("[data-table=trials] th").all_inner_texts())
    assert seen.page.locator("script").count() == 3
    assert seen.page.locator("img").count() == 0


@pytest.fixture
def light(browser: Browser, report: Written) -> Iterator[Page]:
    looked = look(browser, report.page, "light")
    yield looked.page
    assert looked.console == []
    assert looked.requests == [report.page.as_uri()]
    looked.page.close()


def column(page: Page, table: str, title: str) -> list[str]:
    heads = page.locator(f"[data-table={table}] th").all_inner_texts()
    index = next(i for i, head in enumerate(heads) if head.startswith(title)) + 1
    return page.locator(f"[data-table={table}] tbody td:nth-child({index})").all_inner_texts()


def test_a_click_sorts_and_another_turns_the_order(light: Page) -> None:
    light.get_by_role("button", name="highest memory").click()
    shown = [float(value.replace(",", "")) for value in column(light, "trials", "highest memory")]
    assert shown == sorted(shown, reverse=True)
    assert light.locator("[data-table=trials] th[aria-sort=descending]").count() == 1
    light.get_by_role("button", name="highest memory").click()
    turned = [float(value.replace(",", "")) for value in column(light, "trials", "highest memory")]
    assert turned == sorted(turned)
    assert turned[0] < shown[0]


def test_rows_can_be_filtered_and_continued(light: Page) -> None:
    assert len(column(light, "trials", "trial")) == 25
    light.locator("[data-table=trials]").get_by_role("button", name="More rows").click()
    assert len(column(light, "trials", "trial")) == TRIALS + RUNNING
    light.locator("[data-table=trials] input").fill("trial-0007")
    assert column(light, "trials", "trial") == ["trial-0007"]


def fills(page: Page) -> list[str | None]:
    """Colours of the texts in a figure."""
    return [text.get_attribute("fill") for text in page.locator("[data-figure=pareto] svg text").all()]


def test_the_switch_changes_colours_of_page_and_figures(light: Page) -> None:
    before = background(light)
    drawn = fills(light)
    light.click("#theme")
    light.wait_for_selector("html[data-drawn=dark]")
    assert background(light) != before
    assert fills(light) != drawn


def test_pointing_at_a_trial_tells_about_it(light: Page) -> None:
    light.locator("[data-figure=pareto]").scroll_into_view_if_needed()
    light.locator("[data-figure=pareto] g.mark-symbol path[aria-roledescription=point]").last.hover(force=True)
    tip = light.locator("#tip")
    tip.wait_for(state="visible")
    assert "trial-" in tip.inner_text()
    assert "learning_rate" in tip.inner_text()


def test_data_behind_a_figure_is_there_as_a_table_and_as_csv(light: Page) -> None:
    behind = light.locator("[data-behind=pareto]")
    behind.locator("summary").click()
    expect(behind.locator("tbody tr")).to_have_count(25)  # filled once it is opened
    with light.expect_download() as download:
        behind.get_by_role("button", name="CSV").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert lines[0].startswith('"trial","outcome","highest memory (MiB)"')
    assert len(lines) > TRIALS / 2


def test_a_png_of_each_figure_is_beside_the_page(report: Written) -> None:
    assert [path.name for path in report.pngs] == [f"report-{name}.png" for name in FIGURES]
    for path in report.pngs:
        content = path.read_bytes()
        assert content.startswith(b"\x89PNG")
        width, height = struct.unpack(">II", content[16:24])
        assert width >= 1800
        assert height >= 250
