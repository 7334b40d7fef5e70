"""Making text from outside harmless where a person or a program reads it."""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches

# Control, format (bidirectional overrides), unassigned, private use, surrogate; line and paragraph separators.
_COMMAND = re.compile(r"::.*::")  # of a CI runner; an IPv6 address has :: once
_LONGEST = 20_000  # characters; no honest text of a finding has as many
_RUNNERS = re.compile(r"##(\[|vso\[)", re.IGNORECASE)
_HARMFUL = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}


def printable(text: str, keep: str = "\n\t") -> str:
    r"""The text with everything that could steer a terminal, or a CI runner, shown harmlessly, such as ``\x1b``.

    Runners take ``##[…]`` anywhere in a line for a command, and ``::…::`` where a line begins.
    """
    if "##" in text:
        text = _RUNNERS.sub(r"# #\1", text)
    if text.isprintable():
        return text
    steering = {char for char in set(text).difference(keep) if unicodedata.category(char) in _HARMFUL}
    return text.translate({ord(char): _escape(char) for char in steering}) if steering else text


def prose(text: str) -> str:
    """Return a printable text for a page, cut where a browser would take minutes to break its lines."""
    shown = printable(text)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}… (all of it is in report.json)"


def plain(*texts: str) -> bool:
    """Whether texts survive a terminal and a copy from it."""
    return all(text.replace("\n", "").isprintable() and printable(text) == text for text in texts)


def inert(text: str) -> str:
    """A printable text of which no line begins like a runner's command."""
    return re.sub(r"^(\s*)::", r"\1|::", printable(text), flags=re.MULTILINE)


def one_line(text: str, limit: int = 300) -> str:
    """The text on one line, without control characters, cut at ``limit`` characters."""
    return _cut(printable(" ".join(text.split()), keep=""), limit)


def safe_line(text: str) -> str:
    """Return the text on one line that steers neither a terminal nor a CI runner; it is not cut."""
    line = one_line(text, _LONGEST)
    return f"|{line}" if _COMMAND.match(line) else line


def short(text: str, limit: int) -> str:
    """Return the text on one line, cut at ``limit`` characters; nothing else of it is changed."""
    return _cut(" ".join(text.split()), limit)


def did_you_mean(name: str, known: Iterable[str], otherwise: str, cutoff: float = 0.6) -> str:
    """A question with the known names nearest to a mistyped one, or another hint where none is near."""
    near = get_close_matches(name, list(known), cutoff=cutoff)
    return f"did you mean {' or '.join(near)}?" if near else otherwise


def markdown(text: str) -> str:
    """The text for a line of Markdown: no markup, no HTML, no mention of people or issues."""
    return re.sub(r"[\\`*_\[\]<>#|@&~]|!(?=\[)|^[-+]", lambda m: f"&#{ord(m[0])};", printable(text, keep=""))


def fenced(text: str, language: str) -> str:
    """The text as a fenced Markdown block that it cannot leave."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{printable(text)}\n{fence}"


def shell_word(word: str) -> str:
    """A word as a POSIX shell takes it; control characters are spelt as ``$'…'``, which bash and zsh know."""
    if printable(word, keep="") == word:
        return shlex.quote(word)
    return f"$'{''.join(map(_spelt, word))}'"


def _cut(line: str, limit: int) -> str:
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def _spelt(char: str) -> str:
    if char in "\\'":
        return f"\\{char}"
    return char if char.isascii() and char.isprintable() else _octets(char)


def _octets(char: str) -> str:
    # A file's name that is not UTF-8 reaches us with its octets as lone surrogates.
    spelt = char.encode("utf-8", "surrogateescape" if "\udc80" <= char <= "\udcff" else "surrogatepass")
    return "".join(f"\\{octet:03o}" for octet in spelt)
