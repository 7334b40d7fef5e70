"""The page of a record in a real browser, opened from the file system."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from health.report.record import Record
from plugins.output.html_page import page
from tests.support.chromium import MISSING, PROGRAM, Chromium, chromium
from tests.unit.health.report.test_terminal import SQL, record
from tests.unit.plugins.output.test_html_page import hostile_record

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=MISSING)
SCREENS = {"desktop": (1000, 900), "phone": (360, 740)}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with chromium(tmp_path_factory.mktemp("profile")) as started:
        yield started


def shown(browser: Chromium, directory: Path, *records: Record) -> None:
    path = directory / "report.html"
    path.write_text(page(records))
    browser.open(path)


def test_a_failed_check_shows_its_sql_which_can_be_copied(browser: Chromium, tmp_path: Path) -> None:
    shown(browser, tmp_path, Record("0.1.0", "2026-11-29T06:00:00+00:00", 3.0, 1, (record("several"),)))
    assert browser.evaluate("document.querySelector('li[value=\"1\"] pre').textContent") == SQL
    assert browser.evaluate("document.querySelector('li[value=\"1\"] pre').checkVisibility()") is True
    browser.call("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    browser.click('li[value="1"] button')
    assert browser.evaluate(
        "new Promise(done => setTimeout(async () => done([document.querySelector('li[value=\"1\"] button').textContent,"
        " await navigator.clipboard.readText()]), 300))"
    ) == ["Copied", SQL]


def test_hostile_text_is_inert_and_no_request_leaves_the_page(browser: Chromium, tmp_path: Path) -> None:
    browser.requests.clear()
    shown(browser, tmp_path, hostile_record())
    browser.evaluate("for (const e of document.querySelectorAll('details')) e.open = true")
    browser.evaluate("new Promise(done => setTimeout(done, 300))")
    assert browser.evaluate("window.owned === undefined && document.scripts.length === 1") is True
    assert browser.dialogs == []
    assert [url for url in browser.requests if not url.startswith(("file:", "data:"))] == []


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_page_fits_a_screen(browser: Chromium, tmp_path: Path, screen: str, dark: bool) -> None:
    shown(browser, tmp_path, Record("", "", 3.0, 1, (record("several"), record("hostile"))))
    picture = browser.screen(*SCREENS[screen], dark=dark)
    assert picture.startswith(b"\x89PNG")
    if directory := os.environ.get("SCREENSHOTS"):  # which ci/full keeps
        Path(directory, f"{screen}-{'dark' if dark else 'light'}.png").write_bytes(picture)
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth") is True
    background = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(13, 17, 23)" if dark else "rgb(255, 255, 255)")
