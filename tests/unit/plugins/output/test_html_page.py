"""The HTML page of a record: what a person sees, and that nothing in it acts."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from health.nightly.drift import Change, Drift, DriftFinding, Point
from health.report.record import FactsOverview, Record, judge_environment
from plugins.output.html_page import page
from plugins.run.check_catalog import all_checks
from tests.support.hostile import HOSTILE
from tests.unit.health.report.test_drift import standing
from tests.unit.health.report.test_several import several
from tests.unit.health.report.test_terminal import RECORDS, SQL, check, finding, fix, matches_snapshot, record

ATTACKS = [
    *HOSTILE,
    "<script>owned=1</script>",
    "</code></pre><script>owned=1</script>",
    "</style><script>owned=1</script></title></textarea>",
    "\"'><img src=https://example.org/x.png onerror=owned=1>",
    "' onmouseover='owned=1' \" autofocus onfocus=\"owned=1",
    "<link rel=stylesheet href=//example.org/x.css><iframe src=//example.org></iframe><base href=//example.org>",
    "<meta http-equiv=refresh content='0;url=https://example.org'>",
    "<svg onload=owned=1><a href=javascript:owned=1>x</a></svg>",
    "{{ 7 * 7 }} {% raw %} {# #}",
    "<!-- --><![CDATA[x]]>",
    "\u202e\u2066right to left\ud800",
]  # fmt: skip
LOADING = {"src", "srcset", "data", "action", "formaction", "poster", "background", "ping", "xlink:href"}
ELEMENTS = {
    "html", "head", "meta", "link", "title", "style", "body", "h1", "h2", "h3", "h4", "p", "div", "table", "tr", "th",
    "td", "a", "span", "svg", "line", "rect", "text", "g", "section",
    "strong", "ol", "ul", "li", "button", "pre", "code", "details", "summary",
    "script",
}  # fmt: skip


@pytest.fixture(autouse=True)
def checks() -> None:
    """Load the checks: they name each other's causes."""
    all_checks()


class Parsed(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return "".join(self.texts)


def run(*names: str) -> Record:
    return Record("0.1.0", "2026-11-29T06:00:00+00:00", 3.0, 1, tuple(map(record, names)))


def hostile_record() -> Record:
    """A record of which every text is an attack."""
    checks = [
        check(
            text, "failed",
            finding(text, text, message=text, evidence={text: text, "b": (text, text)}, no_fix=text, waived=None,
                    fixes=(fix("sql", text, text, note=text, undo=text), fix("patch", text, text, note=text))),
        )
        for text in ATTACKS
    ]  # fmt: skip
    checks += [check(text, "unknown", reason=text) for text in [*ATTACKS, "x" * 1_000_000]]
    judged = judge_environment(ATTACKS[-1], "nightly", checks, frozenset())
    known = FactsOverview({text: text for text in ATTACKS})
    drift = hostile_drift()
    named = [replace(judged, name=text, overview=known, drift=drift) for text in ATTACKS[-2:]]
    return Record(ATTACKS[-4], ATTACKS[-5], 3.0, 1, tuple(named))


def hostile_drift() -> Drift:
    """A comparison of which every text is an attack."""
    found = tuple(DriftFinding(text, text, "error", text, text, 1, "warning") for text in ATTACKS)
    changes = tuple(Change(text, text, text) for text in ATTACKS)
    trend = tuple(Point(text, "blocked", 1) for text in ATTACKS)
    return Drift(ATTACKS[1], "error", found, found, found, found, tuple(ATTACKS), 2, changes, trend, ATTACKS[1])


def test_hostile_text_stays_text() -> None:
    text = page([hostile_record()])
    text.encode()  # what is no character is shown as an escape
    parsed = Parsed(text)
    assert {tag for tag, _ in parsed.elements} <= ELEMENTS
    assert [tag for tag, _ in parsed.elements].count("script") == 1
    for tag, attributes in parsed.elements:
        assert not LOADING & attributes.keys(), tag
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        assert re.fullmatch(r"(#environment-\d+)?|data:,", attributes.get("href") or "")
        assert re.fullmatch(r"[a-z ]*", attributes.get("class") or "")
    assert "\u202e" not in text
    assert "x" * 20_001 not in text
    assert "<script>owned=1</script>" in parsed.text
    assert "{{ 7 * 7 }}" in parsed.text


def test_the_policy_comes_first_and_allows_only_the_pages_own() -> None:
    metas = [attributes for tag, attributes in Parsed(page([run("several")])).elements if tag == "meta"]
    assert metas[0] == {"charset": "utf-8"}
    assert metas[1]["http-equiv"] == "Content-Security-Policy"
    policy = str(metas[1]["content"])
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize("name", ["healthy", "unknown", "several", "waived", "waiting"])
def test_a_person_sees(name: str) -> None:
    matches(name, run(name))


def test_a_person_sees_a_night() -> None:
    matches("nightly", Record("0.1.0", "2026-11-29T06:00:00+00:00", 3.0, 10, (standing(),)))


def test_a_person_sees_which_migration_is_where() -> None:
    matches("where", Record("0.1.0", "2026-11-29T06:00:00+00:00", 3.0, 1, several()))


def matches(name: str, shown: Record) -> None:
    text = page([shown])
    body = re.sub(r"(?s)<(style|script)>.*?</\1>", "", text[text.index("<body>") :])
    matches_snapshot(f"{name}.html", re.sub(r"\n\n+", "\n", body))


@pytest.mark.parametrize("name", RECORDS)
def test_verdict_and_plan_come_before_the_findings(name: str) -> None:
    text = Parsed(page([run(name)])).text
    places = [text.find(word) for word in (record(name).verdict, "\nPlan\n", "\nFindings\n") if word in text]
    assert places == sorted(places)


def test_sql_stands_once_in_the_plan_as_it_is_copied() -> None:
    text = page([run("plan")])
    assert text.count("UPDATE t SET x = 1;") == 1
    assert f"<pre><code>{SQL}</code></pre>" in text


def test_what_is_copied_is_never_cut() -> None:
    long = "SELECT 1;\n" * 10_000
    judged = judge_environment(
        "prod", "before", [check("a", "failed", finding("b", "c", fixes=(fix("sql", "d", long),)))], frozenset()
    )
    assert long in page([Record("", "", 1.0, 1, (judged,))])


def test_the_worst_environment_comes_first() -> None:
    parsed = Parsed(page([run("healthy", "partial"), run("unknown", "several")]))
    verdicts: list[Any] = [attributes["class"] for tag, attributes in parsed.elements if tag == "span"][:4]
    assert verdicts == ["faint", "badge blocked", "faint", "badge unknown"]


def test_the_trend_is_drawn_in_the_colours_of_the_page() -> None:
    text = page([Record("", "", 3.0, 1, (standing(),))])
    assert text.count('<svg xmlns="http://www.w3.org/2000/svg" class="t"') == 1
    assert text.count("<style>") == 1
    assert ".t .n{fill:none" in text[: text.index("</style>")]
