r"""Texts as they are whichever way they are quoted: for URLs, in JSON, by Python, in XML, by a shell, or nested.

Where a text is to be found in any of these spellings, both it and what is searched are folded to one spelling, and
a hit is brought back to where it stands. Folding ``a%22b``, ``a\"b``, ``a\\\"b``, ``a&quot;b``, ``a\u0022b`` and
``a"b`` gives ``a"b``. The work grows with the length of the text alone.
"""

from __future__ import annotations

import base64
import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache
from html import escape
from urllib.parse import quote

_HEX = "[0-9a-fA-F]"
_COLOUR = r"(?:\x1b|\\+(?:x1b|u001b)|\#x1B)\[[0-9;]*m"
# It begins with a set of characters, so that the text between is passed over fast.
_ESCAPE = rf"""['\\%&\#\x1b\x80-\U0010ffff](?:
      (?: (?<=\x1b) | (?<=\\)\\*(?:x1b|u001b) | (?<=\#)x1B )(?P<colour>\[[0-9;]*m)   # pytest's within texts
    | (?<=\\)\\*(?: u{_HEX}{{4}}(?:(?<=[dD][89abAB]..)\\+u{_HEX}{{4}})? | U000{_HEX}{{5}} | x{_HEX}{{2}} | " | )
    | (?<=%)(?:{_COLOUR})*(?:25)*(?P<url>{_HEX}{{2}})   # pytest colours % as a format's
    | (?<=&)(?:amp;)*(?: \#(?P<number>[0-9]{{1,7}}) | \#[xX](?P<hex>{_HEX}{{1,6}}) | (?P<name>quot|apos|lt|gt|amp) );
    | (?<=\#)x(?P<control>[01]{_HEX})   # pytest's JUnit spells control characters so
    | (?<=')(?:"'"'|)                   # a shell's way to put ' between ', or a plain one
    | (?<=[\x80-\U0010ffff])[\x80-\U0010ffff]*
    )"""
_NAMES = {"quot": '"', "apos": "'", "lt": "<", "gt": ">", "amp": "&"}
# What differs between spellings: "\n" may be written as \n, a space as +, and backslashes and ' are doubled or not.
_DROPPED = str.maketrans("", "", "\\'")
_SAME = str.maketrans("\n\r\t+", "nrt ")


@cache
def _escape() -> re.Pattern[str]:
    return re.compile(_ESCAPE, re.VERBOSE)  # takes a fiftieth of a second: not at the start


def folded(text: str) -> str:
    """The text in the one spelling."""
    return _escape().sub(_unescaped, text).translate(_SAME)


def forms(text: str, least: int) -> frozenset[str]:
    """How a text can stand in a folded one: itself, and in base64 from any of the three offsets.

    Args:
        text: what is looked for.
        least: forms with fewer characters are left out.
    """
    # What looks quoted in the text itself is folded in one way or another with what surrounds it.
    found = {folded(text), _plain(text), folded(quote(text, safe="", errors="replace")), folded(escape(text))}
    if "%" in text:  # doubled for printf and for Python's %; pytest doubles it in the message of an assertion too
        found |= {folded(text.replace("%", "%%")), _plain(text.replace("%", "%%"))}
    data = text.encode("utf-8", "surrogatepass")
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + data).decode()
        # The first and the last characters hold bits of the neighbours too.
        core = encoded[(0, 2, 3)[offset] : len(encoded) - (0, 3, 2)[(offset + len(data)) % 3]]
        found |= {core.translate(_SAME), core.translate(str.maketrans("+/", "-_"))}
    return frozenset(form for form in found if len(form) >= least)


class Places:
    """Where the characters of a folded text stand in the text itself."""

    def __init__(self, text: str) -> None:
        self._folded, self._begins, self._ends = [0], [0], [0]
        shift = 0  # how much longer the text is than its folding, so far
        for found in _escape().finditer(text):
            at, told = found.start() - shift, len(_unescaped(found))
            # A step for the escape as a whole, and one for what follows it.
            self._folded += [at, at + told]
            self._begins += [found.start(), found.end()]
            self._ends += [found.end(), found.end()]
            shift += len(found[0]) - told

    def of(self, begin: int, end: int) -> tuple[int, int]:
        """The span in the text of a span of the folded text."""
        return self._at(begin)[0], self._at(end - 1)[1]

    def _at(self, position: int) -> tuple[int, int]:
        step = bisect_right(self._folded, position) - 1
        past, begin, end = position - self._folded[step], self._begins[step], self._ends[step]
        if end > begin:
            return begin, end  # within an escape, which is one
        return begin + past, begin + past + 1


def spans(needle: str, text: str) -> Iterator[tuple[int, int]]:
    """Every place at which a text holds another."""
    at = text.find(needle)
    while at >= 0:
        yield at, at + len(needle)
        at = text.find(needle, at + 1)


def _unescaped(match: re.Match[str]) -> str:
    written = match[0]
    if match["colour"]:
        return ""
    if written[0] == "\\":
        return _backslashed(written)
    if code := match["url"]:
        return _plain_byte(int(code, 16))
    for group, base in (("number", 10), ("hex", 16), ("control", 16)):
        if code := match[group]:
            number = int(code, base)
            return _plain(chr(number)) if number <= 0x10FFFF else written  # noqa: PLR2004 - the last of Unicode
    if name := match["name"]:
        return _plain(_NAMES[name])
    return "" if written[0] == "'" else _plain(written)


def _backslashed(written: str) -> str:
    rest = written.lstrip("\\")
    if rest[:1] == "u":  # surrogates come in pairs
        units = "".join(chr(int(unit[1:], 16)) for unit in rest.split("\\") if unit)
        return _plain(units.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    if rest[:1] in ("x", "U"):
        return _plain(chr(min(int(rest[1:], 16), 0x10FFFF)))
    return rest


def _plain(text: str) -> str:
    """The text in the one spelling if nothing in it is quoted; beyond ASCII it is its bytes, as URLs have it."""
    if not text.isascii():
        text = text.encode("utf-8", "surrogatepass").decode("latin-1")
    return text.translate(_DROPPED).translate(_SAME)


def _plain_byte(value: int) -> str:
    return chr(value).translate(_DROPPED).translate(_SAME)
