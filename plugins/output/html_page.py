"""Renders records as one HTML page that loads nothing, for a person with a browser."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from health.finding import Value
from health.nightly.svg import STYLE
from health.report.matrix import cell, matrix
from health.report.page_view import environment_view
from health.report.record import Record
from health.sanitize import printable, prose

_FILES = Path(__file__).with_name("page")
_VERDICTS = ("blocked", "unknown", "partial", "healthy")  # worst first


def page(records: Sequence[Record]) -> str:
    """Render records as HTML, the worst environment first.

    Args:
        records: of one run or of several, such as one per environment.
    """
    results = [result for record in records for result in record.environments]
    results.sort(key=lambda result: _VERDICTS.index(result.verdict))
    style, script = _asset("page.css") + Markup(STYLE), _asset("page.js")  # noqa: S704 - this program's
    return _template().render(
        policy=_policy(style, script),
        style=style,
        script=script,
        title=", ".join(f"{result.name} {result.verdict}" for result in results[:3]) + (", …" if results[3:] else ""),
        runs=records,
        views=list(map(environment_view, results)),
        where=matrix(results),
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_FILES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: prose(value) if type(value) is str else value,  # not what is markup already
    )
    environment.filters.update(words=_words, body=_body, cell=cell, svg=Markup)
    return environment.get_template("page.html")


@cache
def _asset(name: str) -> Markup:
    return Markup((_FILES / name).read_text())  # noqa: S704 - a file of this program


def _policy(*assets: str) -> str:
    """Allow the page's own style and script by their hashes, and nothing else."""
    style, script = (f"'sha256-{b64encode(sha256(asset.encode()).digest()).decode()}'" for asset in assets)
    own = f"style-src {style}; script-src {script}; img-src data:"
    return f"default-src 'none'; {own}; base-uri 'none'; form-action 'none'"


def _words(value: Value) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    return "" if value is None else str(value)


def _body(text: str) -> Markup:
    """Escape a text that is copied: it is never cut."""
    return escape(printable(text.replace("\r\n", "\n").rstrip("\n") + "\n"))


def verdicts(records: Iterable[Record]) -> str:
    """Sum up records in a phrase: ``1 blocked, 2 healthy``."""
    words = [result.verdict for record in records for result in record.environments]
    return ", ".join(f"{words.count(word)} {word}" for word in _VERDICTS if word in words) or "no environment"
