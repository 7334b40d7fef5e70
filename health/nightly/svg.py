"""Draws the trend as SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from health.nightly.drift import Point
from health.sanitize import one_line
from health.words import plural

_BAR, _GAP, _HEIGHT, _FOOT, _LEFT = 14, 4, 80, 18, 34
_FACES = ("system-ui", "sans-serif")
# The colours of a page that embeds the picture win; a file that is opened follows the reader's own.
STYLE = (
    f".t text{{font:10px {','.join(_FACES)};fill:#57606a}}.t .e{{fill:#cf222e}}.t .w{{fill:#bf8700}}"
    ".t .n{fill:none;stroke:#8c959f;stroke-dasharray:2 2}.t .k{fill:#1a7f37}.t .u{fill:#8c959f}.t .a{stroke:#8c959f}"
    "@media(prefers-color-scheme:dark){.t text{fill:#9da7b3}.t .e{fill:#f85149}.t .w{fill:#d29922}.t .k{fill:#3fb950}}"
)


def trend_svg(points: Sequence[Point], name: str = "", style: bool = True) -> str:
    """Draw errors and warnings of each night as bars, nights without a run as dashed ones.

    A mark below a bar is grey where some check of that night gave no answer. Nothing in it refers to the outside.

    Args:
        points: the nights, the latest last.
        name: of the environment, for the title.
        style: whether ``STYLE`` is in it; a page that has it needs it once.
    """
    width = _LEFT + max(1, len(points)) * (_BAR + _GAP) + _GAP
    missing = sum(point.state == "missing" for point in points)
    last = points[-1] if points else None
    title = f"{one_line(name)}: " if name else ""
    title += f"{len(points)} {plural(len(points), 'night')}, {missing} missing"
    if last is not None:
        title += (
            f"; last {last.errors} {plural(last.errors, 'error')}, {last.warnings} {plural(last.warnings, 'warning')}"
        )
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" class="t" role="img" width="{width}" height="{_HEIGHT + _FOOT + 8}" '
        f'viewBox="0 0 {width} {_HEIGHT + _FOOT + 8}">',
        f"<title>{escape(title)}</title>",
        *([f"<style>{STYLE}</style>"] if style else []),
        *_axis(points, width),
        *(line for number, point in enumerate(points) for line in _bar(point, number, _most(points))),
        *_dates(points, width),
        "</svg>",
    ])  # fmt: skip


def _most(points: Sequence[Point]) -> int:
    return max((point.errors + point.warnings for point in points), default=0) or 1


def _axis(points: Sequence[Point], width: int) -> Iterator[str]:
    yield f'<line class="a" x1="{_LEFT}" y1="{_HEIGHT}.5" x2="{width}" y2="{_HEIGHT}.5"/>'
    yield f'<text x="{_LEFT - 4}" y="12" text-anchor="end">{_most(points)}</text>'
    yield f'<text x="{_LEFT - 4}" y="{_HEIGHT}" text-anchor="end">0</text>'


def _bar(point: Point, number: int, most: int) -> Iterator[str]:
    x = _LEFT + _GAP + number * (_BAR + _GAP)
    if point.state == "missing":
        words, inner = "nothing ran", f'<rect class="n" x="{x}.5" y="4.5" width="{_BAR - 1}" height="{_HEIGHT - 4}"/>'
    else:
        scale = (_HEIGHT - 4) / most
        errors, warnings = round(point.errors * scale, 1), round(point.warnings * scale, 1)
        words = f"{point.state}, {point.errors} {plural(point.errors, 'error')}, {point.warnings} "
        words += f"{plural(point.warnings, 'warning')}, {point.new} new, {point.gone} gone"
        mark = {"healthy": "k", "blocked": "e", "partial": "w"}.get(point.state, "u")
        inner = "".join([
            f'<rect class="e" x="{x}" y="{_HEIGHT - errors:.1f}" width="{_BAR}" height="{errors}"/>' if errors else "",
            f'<rect class="w" x="{x}" y="{_HEIGHT - errors - warnings:.1f}" width="{_BAR}" height="{warnings}"/>'
            if warnings else "",
            f'<rect class="{mark}" x="{x}" y="{_HEIGHT + 2}" width="{_BAR}" height="3"/>',
        ])  # fmt: skip
    yield f"<g><title>{escape(one_line(point.date))}: {words}</title>{inner}</g>"


def _dates(points: Sequence[Point], width: int) -> Iterator[str]:
    y = _HEIGHT + _FOOT
    if points:
        yield f'<text x="{_LEFT}" y="{y}">{escape(one_line(points[0].date))}</text>'
    if len(points) * (_BAR + _GAP) > 140:  # noqa: PLR2004 - both dates fit
        yield f'<text x="{width}" y="{y}" text-anchor="end">{escape(one_line(points[-1].date))}</text>'
