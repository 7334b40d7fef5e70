"""Where the documentation of a check stands, for links in reports."""

from __future__ import annotations

import re

from health.report.results import CheckResult

_SUITE = re.compile(r"(?:.*/)?checks/(?:test_(?P<topic>\w+)\.py|(?P<invariants>invariants)/[^/]+)::")


def page_of(check: CheckResult) -> str | None:
    """The page and the heading, relative to the suite's root; None of a check that is not the suite's."""
    found = _SUITE.match(check.nodeid)
    return f"docs/checks/{found['topic'] or found['invariants']}.md#{check.id}" if found else None


def link_to(check: CheckResult, docs_url: str) -> str | None:
    """The address of the page; None where nobody has said where the pages can be read.

    Args:
        check: of the record.
        docs_url: what leads to ``docs/``; empty where that is not known.
    """
    page = page_of(check)
    return f"{docs_url.rstrip('/')}/{page.removeprefix('docs/')}" if page and docs_url else None
