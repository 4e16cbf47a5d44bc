"""Pages that fetch nothing, in a real headless browser: opened in light, dark and on a phone, with what it said of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from support.chromium import find_chromium
from support.patience import PATIENCE

expect.set_options(timeout=PATIENCE * 1000)
VIEWS = {"light": ("light", 1280), "dark": ("dark", 1280), "phone": ("light", 390)}
"""Colour scheme and width in pixels."""


@dataclass
class Seen:
    """A page and what its browser said of it."""

    page: Page
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser for the length of a block; skips the test where there is none."""
    path, why = find_chromium()
    if path is None:
        pytest.skip(f"the page was not looked at in a browser: {why}")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield launched
        launched.close()


def look(browser: Browser, path: Path, view: str) -> Seen:
    """Open a page and wait until all is drawn."""
    scheme, width = VIEWS[view]
    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})
    page.set_default_timeout(PATIENCE * 1000)
    seen = Seen(page)
    page.on("console", lambda message: seen.console.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: seen.console.append(f"error: {error}"))
    page.on("request", lambda request: seen.requests.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-drawn]")
    return seen


def look_and_keep(request: pytest.FixtureRequest, browser: Browser, path: Path) -> Iterator[Seen]:
    """`look` in the view that is the fixture's parameter; a picture of the whole page is beside it once a test has failed."""
    failed = request.session.testsfailed
    seen = look(browser, path, request.param)
    yield seen
    if request.session.testsfailed > failed:
        picture = path.with_name(f"{request.param}.png")
        seen.page.screenshot(path=picture, full_page=True)
        print(f"the page as it was: {picture}")
    seen.page.close()


def background(page: Page) -> str:
    """Colour behind everything."""
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def wider_than_the_screen(page: Page) -> bool:
    """Whether a reader must scroll sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))
