r"""Texts as they are whichever way they are written: for URLs, in JSON, by Python, in XML, by a shell, or nested.

Where a text is to be found in any of these spellings, both it and what is searched are folded to one spelling, and
a hit is brought back to where it stands. Folding ``a%22b``, ``a\"b``, ``a\\\"b``, ``a&quot;b``, ``a\u0022b``,
``a\042b``, ``a" b`` and ``a"b`` gives ``a"b``. The work grows with the length of the text alone. What writes bytes as
other letters (base64, base32, hexadecimal, lists of numbers) is not folded: these are forms of what is looked for.
"""

from __future__ import annotations

import base64
import codecs
import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache
from html import escape
from urllib.parse import quote

_HEX = "[0-9a-fA-F]"
_COLOUR = r"(?:\x1b|\\+(?:x1b|u001b)|\#x1B)\[[0-9;]*m"
# It begins with a set of characters, so that the text between is passed over fast.
_ESCAPE = rf"""['"\\%&\#\x1b\x80-\U0010ffff](?:
      (?: (?<=\x1b) | (?<=\\)\\*(?:x1b|u001b) | (?<=\#)x1B )(?P<colour>\[[0-9;]*m)   # pytest's within texts
    | (?<=\\)\\*(?: u{_HEX}{{4}}(?:(?<=[dD][89abAB]..)\\+u{_HEX}{{4}})? | U000{_HEX}{{5}} | x{_HEX}{{2}}
                | [0-3][0-7][0-7] | (?P<break>[nrt]) | " | )
    | (?<=%)(?:{_COLOUR})*(?:25)*(?P<url>{_HEX}{{2}})   # pytest colours % as a format's
    | (?<=&)(?:amp;)*(?: \#(?P<number>[0-9]{{1,7}}) | \#[xX](?P<hex>{_HEX}{{1,6}}) | (?P<name>quot|apos|lt|gt|amp) );
    | (?<=\#)x(?P<control>[01]{_HEX})   # pytest's JUnit spells control characters so
    | (?<=')(?:"'"'|)                   # a shell's way to put ' between ', or a plain one
    | (?<=")(?P<joint>[ ]*\n[ ]*(?:E[ ]+)?")        # Python's, between the lines of one literal
    | (?<=[\x80-\U0010ffff])[\x80-\U0010ffff]*
    )"""
_NAMES = {"quot": '"', "apos": "'", "lt": "<", "gt": ">", "amp": "&"}
# What differs between spellings: backslashes and ' are doubled or not, a line is broken, a space is written as +, and
# UTF-16 has a NUL beside each letter.
DROPPED = "\\'+ \t\n\v\f\r\0"
_SAME = str.maketrans("", "", DROPPED)
_BREAK = re.compile(r"\\[nrt]|\"[ ]*\n")


@cache
def _escape() -> re.Pattern[str]:
    return re.compile(_ESCAPE, re.VERBOSE)  # takes a fiftieth of a second: not at the start


def folded(text: str, *, breaks: bool = False) -> str:
    """The text in the one spelling.

    Args:
        text: any.
        breaks: whether an escape of white space stands for it, and two quotation marks with a line's end between them
            for nothing; else for its letter, which a backslash is before, and for themselves.
    """
    return _escape().sub(_unbroken if breaks else _unescaped, text).translate(_SAME)


def foldings(text: str) -> Iterator[tuple[str, bool]]:
    """The ways to fold a text, each with the ``breaks`` that it is made with."""
    yield folded(text), False
    if _BREAK.search(text):
        yield folded(text, breaks=True), True


def unquoted(text: str) -> str:
    """The one spelling of a text in which nothing is an escape."""
    return _plain(text).translate(_SAME)


def forms(text: str, least: int) -> frozenset[str]:
    """How a text can stand in a folded one: itself, in base64 from any of the three offsets, or in hexadecimal.

    Args:
        text: what is looked for.
        least: forms with fewer characters are left out.
    """
    # What looks quoted in the text itself is folded in one way or another with what surrounds it.
    found = {folded(text), unquoted(text), folded(quote(text, safe="", errors="replace")), folded(escape(text))}
    if "%" in text:  # doubled for printf and for Python's %; pytest doubles it in the message of an assertion too
        found |= {folded(text.replace("%", "%%")), unquoted(text.replace("%", "%%"))}
    if any(break_ in text for break_ in "\n\r\t"):
        found.add(folded(json.dumps(text)[1:-1]))
    if _BREAK.search(text):
        found.add(folded(text, breaks=True))
    data = _bytes(text)
    if not text.isascii():  # as bytes are written by Python
        found.add(unquoted(data.decode("latin-1")))
    found |= {each.translate(_SAME) for each in (*_in_base64(data), data.hex(), data.hex().upper())}
    return frozenset(form for form in found if len(form) >= least)


def byte_forms(text: str, least: int) -> frozenset[str]:
    """How the bytes of a text, in UTF-8 and UTF-16, can stand in a folded one beside its :func:`forms`."""
    found: set[str] = set()
    for data in (_bytes(text), *(text.encode(each, "surrogatepass") for each in ("utf-16-le", "utf-16-be"))):
        for encoded in _in_base32(data):
            found |= {encoded, encoded.lower()}
        found |= {*_in_base64(data), *_in_numbers(data)}
        if not text.isascii():
            found |= {_plain(data.decode("latin-1")), _plain(data.decode("utf-8", "surrogateescape"))}
    return frozenset(form for form in (each.translate(_SAME) for each in found) if len(form) >= least)


def _in_base64(data: bytes) -> Iterator[str]:
    for offset in range(3):
        core = _core(base64.b64encode(b"\0" * offset + data), offset, len(data), 6)
        yield core
        yield core.translate(str.maketrans("+/", "-_"))


def _in_base32(data: bytes) -> Iterator[str]:
    for offset in range(5):
        yield _core(base64.b32encode(b"\0" * offset + data), offset, len(data), 5)


def _core(encoded: bytes, offset: int, length: int, bits: int) -> str:
    """Leave out the first and the last characters, which hold bits of the neighbours too."""
    return encoded[-(-8 * offset // bits) : 8 * (offset + length) // bits].decode()


def _in_numbers(data: bytes) -> Iterator[str]:
    """Bytes one by one, in hexadecimal, octal and decimal; blanks between them are folded away."""
    pairs = [f"{byte:02x}" for byte in data]
    for written in (pairs, [pair.upper() for pair in pairs]):
        yield from (between.join(written) for between in ("", ",", ":", "-"))
        if data:  # PostgreSQL's bytea is \\x and all digits: the first two of them look like an escape
            yield _plain(chr(data[0])) + "".join(written[1:])
        yield from ("".join(f"{before}{pair}" for pair in written)[len(before) :] for before in ("0x", ",0x"))
    for each in ([str(byte) for byte in data], [f"{byte:03o}" for byte in data], [f"{byte:o}" for byte in data]):
        yield from (between.join(each) for between in ("", ","))
    yield ",".join(f"0o{byte:o}" for byte in data)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


class Places:
    """Where the characters of a folded text stand in the text itself."""

    def __init__(self, text: str, *, breaks: bool = False) -> None:
        self._folded, self._begins, self._ends = [0], [0], [0]
        shift = 0  # how much longer the text is than its folding, so far
        meant = _unbroken if breaks else _unescaped
        for found in _escape().finditer(text):
            at, told = found.start() - shift, len(meant(found))
            # A step for the escape as a whole, and one for what follows it.
            self._folded += [at, at + told]
            self._begins += [found.start(), found.end()]
            self._ends += [found.end(), found.end()]
            shift += len(found[0]) - told
        self._kept = [at for at, char in enumerate(_escape().sub(meant, text)) if char not in DROPPED]

    def of(self, begin: int, end: int) -> tuple[int, int]:
        """The span in the text of a span of the folded text."""
        return self._at(self._kept[begin])[0], self._at(self._kept[end - 1])[1]

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


def _unbroken(match: re.Match[str]) -> str:
    return "" if match["break"] or match["joint"] else _unescaped(match)


def _unescaped(match: re.Match[str]) -> str:
    written = match[0]
    if match["colour"]:
        return ""
    if written[0] == "\\":
        return _backslashed(written)
    if code := match["url"]:
        return chr(int(code, 16))
    for group, base in (("number", 10), ("hex", 16), ("control", 16)):
        if code := match[group]:
            number = int(code, base)
            return _plain(chr(number)) if number <= 0x10FFFF else written  # noqa: PLR2004 - the last of Unicode
    if name := match["name"]:
        return _NAMES[name]
    return "" if written[0] == "'" else _plain(written)


def _backslashed(written: str) -> str:
    rest = written.lstrip("\\")
    if rest[:1] == "u":  # surrogates come in pairs
        units = "".join(chr(int(unit[1:], 16)) for unit in rest.split("\\") if unit)
        return _plain(units.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    if rest[:1] in ("x", "U"):
        return _plain(chr(min(int(rest[1:], 16), 0x10FFFF)))
    if rest.isdigit():
        return chr(int(rest, 8))  # octal, as C and shells write bytes
    return rest


def _plain(text: str) -> str:
    """The text if nothing in it is quoted; beyond ASCII it is its bytes, as URLs have it."""
    return text if text.isascii() else _bytes(text).decode("latin-1")


# Loaded now: an import while secrets are taken in may be traced and hidden itself (--debug), and would wait for ever.
for _codec in ("latin-1", "utf-16", "utf-16-le", "utf-16-be", "ascii"):
    codecs.lookup(_codec)
