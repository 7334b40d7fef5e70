"""Allure's own report of the results, made by npm's ``allure`` and opened in a real browser."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from plugins.commands.report_page import main
from plugins.output.allure_report import without_requests
from plugins.output.allure_results import allure_files
from tests.support.chromium import MISSING, PROGRAM, chromium
from tests.unit.plugins.output.test_html_page import run

ATTACK = "<img src=https://example.org/x.png onerror=owned=1><script>owned=1</script>"
ANALYTICS = """<script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>
    <script>
        window.dataLayer = window.dataLayer || [];
        gtag('js', new Date());
    </script>"""


def test_the_analytics_are_taken_out() -> None:
    page = without_requests(f"<html><head>{ANALYTICS}<script>own</script></head></html>")
    assert "google" not in page
    assert "dataLayer" not in page
    assert page.startswith('<html><head><meta http-equiv="Content-Security-Policy" content="default-src \'none\'')
    assert "<script>own</script>" in page


@pytest.mark.parametrize("words", [["--allure", "."], ["--allure", ".", "out", "dir"]])
def test_a_mistake_is_status_4(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 4


def test_without_results_or_program_there_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--allure", str(tmp_path), str(tmp_path / "out")]
    assert main(words) == 4
    (tmp_path / "1-result.json").write_text("{}")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert main(words) == 4
    assert capsys.readouterr().err.splitlines()[1].endswith("Install it: npm install allure@3.")
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(PROGRAM is None, reason=MISSING)
@pytest.mark.skipif(shutil.which("allure") is None, reason="there is no program allure here: npm install allure@3")
def test_the_report_asks_nobody_and_continues_its_history(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("full"):
        pytest.skip("half a minute of npm's allure: --full runs it")
    hostile = run("hostile")
    hostile = replace(hostile, environments=(replace(hostile.environments[0], name=ATTACK),))
    for day in ("28", "29"):
        results = tmp_path / day
        results.mkdir()
        for given in (run("several"), hostile):
            for name, text in allure_files(replace(given, started_at=f"2026-11-{day}T06:00:00+00:00")):
                (results / name).write_text(text)
        assert main(["--allure", str(results), str(tmp_path / "out")]) == 0
    history = [json.loads(line) for line in (tmp_path / "out" / "history.jsonl").read_text().strip().split("\n")]
    assert len(history) == 2
    assert {*history[0]["testResults"]} == {*history[1]["testResults"]}
    with chromium(tmp_path / "profile") as browser:
        browser.open(tmp_path / "out" / "index.html")
        browser.evaluate(
            "new Promise(done => { const look = () => document.body.innerText.includes('prod') ? done() "
            ": setTimeout(look, 100); look(); })"
        )
        assert browser.evaluate("window.owned === undefined") is True
        assert [url for url in browser.requests if not url.startswith(("file:", "data:", "blob:"))] == []
