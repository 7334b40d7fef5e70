"""A shell script's words, their pieces and its operators; comments and here-documents are left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from health.tunnel.shell.model import Part

NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_BLANK = re.compile(r"(?:[ \t\r]|\\\r?\n)+")
_COMMENT = re.compile(r"#[^\n]*")
_OPERATOR = re.compile(r"\n|;;&|;;|;&|;|&&|\|\||\|&?|&?>>?[&|]?|<<<|<<-?|<[&>]?|&|[()]")
_PLAIN = re.compile(r"[^ \t\r\n;&|<>()'\"`$\\]+")
_LINE = re.compile(r"[^\n]*\n?")
_NESTING = re.compile(r"\\.|\$[({]|['\"`(){}]", re.DOTALL)
_PIECE = re.compile(r"[^'\"`$\\]+")
_VARIABLE = re.compile(rf"\$(?:({NAME}|[0-9@*#?!$-])|\{{({NAME}|[0-9]+)(?:\[([^\]{{}}]*)\])?\}})")
_OPENS = {"$(": ")", "(": ")", "${": "}", '"': '"', "`": "`"}


class Token(NamedTuple):
    """A word, or an operator of the shell; a newline is one too."""

    text: str
    start: int
    operator: bool


def _after(text: str, at: int, closer: str, end: int) -> int:
    """Where what `closer` ends is over; no recursion, as a script may nest to any depth."""
    waits = [closer]
    while found := _NESTING.search(text, at, end):
        sign, at = found[0], found.end()
        if sign == waits[-1]:
            waits.pop()
            if not waits:
                return at
        elif waits[-1] == "`":
            continue
        elif sign == "'" and waits[-1] == ")":
            at = text.find("'", at, end) + 1 or end
        elif sign in _OPENS and (sign != "(" or waits[-1] == ")"):
            # `"` inside "${X:-"y"}" opens anew; a bare parenthesis counts in a substitution only
            waits.append(_OPENS[sign])
    return end


def _word_end(text: str, at: int) -> int:
    while at < len(text) and text[at] not in " \t\r\n;&|<>()":
        if plain := _PLAIN.match(text, at):
            at = plain.end()
        elif (sign := text[at : at + 2]) in _OPENS:
            at = _after(text, at + 2, _OPENS[sign], len(text))
        elif text[at] in '"`':
            at = _after(text, at + 1, text[at], len(text))
        elif text[at] == "'":
            at = text.find("'", at + 1) + 1 or len(text)
        else:
            at += 2 if text[at] == "\\" else 1
    return min(at, len(text))


def _after_documents(text: str, at: int, marks: Iterable[str]) -> int:
    """Where the here-documents that begin at `at` are over: their lines are text, not commands."""
    for mark in marks:
        while at < len(text) and (line := _LINE.match(text, at)):
            at = line.end()
            if line[0].strip("\t\r\n") == mark:
                break
    return at


def tokens(text: str) -> Iterator[Token]:
    """The words and operators of a script, whatever it is."""
    at, marks, marks_next = 0, list[str](), False
    while at < len(text):
        if skipped := _BLANK.match(text, at) or _COMMENT.match(text, at):
            at = skipped.end()
            continue
        found = _OPERATOR.match(text, at)
        if found and not text.startswith("((", at):
            yield Token(found[0], at, True)
            at = found.end()
            if found[0] == "\n":
                at, marks = _after_documents(text, at, marks), []
            marks_next = found[0] in {"<<", "<<-"}
            continue
        # arithmetic, ((...)), is one word of no interest: its << is no here-document
        end = _after(text, at + 1, ")", len(text)) if found else _word_end(text, at)
        if marks_next:
            marks.append(re.sub(r"['\"\\]", "", text[at:end]))
        marks_next = False
        yield Token(text[at:end], at, False)
        at = end


def element_name(base: str, key: str | None) -> str:
    """The name of a variable or, with a key, of an array's element."""
    if key is None:
        return base
    key = key.strip("\"'")
    return f"{base}[{'' if set(key) & set('$`') else key}]"


def parts_of(text: str, at: int, end: int) -> Iterator[Part]:
    """The pieces of the word at text[at:end], without its quotes."""
    quoted = False
    while at < end:
        start, sign = at, text[at]
        if sign == '"':
            quoted, at = not quoted, at + 1
        elif sign == "'" and not quoted:
            at = min(text.find("'", at + 1, end) + 1 or end, end)
            yield Part("text", text[start + 1 : at - 1], start + 1)
        elif sign == "\\":
            at += 2
            yield Part("text", text[start + 1 : at].strip("\n"), start + 1)
        elif variable := _VARIABLE.match(text, at, end):
            at = variable.end()
            yield Part("variable", element_name(variable[1] or variable[2], variable[3]), start)
        elif text.startswith(("${", "$("), at) or sign == "`":
            opener = sign if sign == "`" else text[at : at + 2]
            at = _after(text, at + len(opener), _OPENS[opener], end)
            yield Part("expansion" if opener == "${" else "computed", text[start:at], start)
        elif sign == "$":
            at += 1
            yield Part("computed", sign, start)
        else:
            at = piece.end() if (piece := _PIECE.match(text, at, end)) else at + 1
            yield Part("text", text[start:at], start)


def is_text(parts: Iterable[Part]) -> bool:
    """Whether a word is the same in each run."""
    return all(part.kind == "text" for part in parts)


def joined(parts: Iterable[Part]) -> str:
    """The text of a word whose parts are text."""
    return "".join(part.text for part in parts)
