"""What PostgreSQL spells otherwise once a definition went through a dump and a load, and means the same.

``varchar IN (…)`` casts its list as a whole, and after a load each of its members; ``(a AND b) AND c`` becomes
``a AND b AND c``. A second load changes nothing more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_QUOTED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*\"""")
_MASK = re.compile("\0(\\d+)\0")
_LIST = re.compile(r"\(ARRAY\[(?P<members>[^\[\]]*)\]\)::(?P<type>[\w .\0]+)\[\]")
_FREE_TEXT = "\nAS $"  # a function's body, where nothing is PostgreSQL's spelling


def same(one: str | None, other: str | None) -> bool:
    """Whether two definitions are one, but for what a load spells otherwise."""
    return one == other or (one is not None and other is not None and loaded(one) == loaded(other))


def loaded(definition: str) -> str:
    """The definition as it is spelt after a dump and a load."""
    if _FREE_TEXT in definition:
        return definition
    texts: list[str] = []

    def hidden(hit: re.Match[str]) -> str:
        texts.append(hit[0])
        return f"\0{len(texts) - 1}\0"

    masked = _QUOTED.sub(hidden, definition)
    masked = _flat(_LIST.sub(_each_cast, masked))
    return _MASK.sub(lambda hit: texts[int(hit[1])], masked)


def _each_cast(hit: re.Match[str]) -> str:
    members = ", ".join(f"({each})::{hit['type']}" for each in _split(hit["members"], ", "))
    return f"ARRAY[{members}]"


def _flat(text: str) -> str:
    """Without the parentheses around an AND or OR with which another of its kind begins."""
    made, opened = [""], 0
    for part in re.split(r"([()])", text):
        if part == "(":
            made.append("")
            opened += 1
        elif part == ")" and opened:
            inner, opened = _joined(made.pop()), opened - 1
            made[-1] += f"({inner})"
        else:
            made[-1] += part
    return "(".join(made)


def _joined(inner: str) -> str:
    for word in (" AND ", " OR "):
        first, *others = _split(inner, word)
        if others and _is_group(first) and len(list(_split(first[1:-1], word))) > 1:
            return word.join([first[1:-1], *others])
    return inner


def _is_group(text: str) -> bool:
    """Whether the parentheses at both ends are one pair."""
    depth = 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return place > 0 and place == len(text) - 1
    return False


def _split(text: str, between: str) -> Iterator[str]:
    """The parts of a text between words that stand in no parentheses."""
    depth = start = 0
    for hit in re.finditer(rf"[()]|{re.escape(between)}", text):
        if hit[0] == "(":
            depth += 1
        elif hit[0] == ")":
            depth -= 1
        elif depth == 0:
            yield text[start : hit.start()]
            start = hit.end()
    yield text[start:]
