"""Finds which of many texts another one holds, in a time that grows with that one alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import chain
from typing import Literal

_WIDTHS: dict[int, Literal["Q", "I"]] = {
    8: "Q",
    4: "I",
}  # bytes that a window over a text holds, and memoryview's word for such a number
_TRIED = 8


class NeedleIndex:
    """Files each needle under some of its bytes, and looks only for those whose bytes a text holds.

    The more bytes, the fewer needles are looked for in vain: eight, or four of a needle that is shorter.
    """

    def __init__(self) -> None:
        self._meant: dict[str, list[str]] = {}
        self._by_gram: dict[int, dict[int, list[str]]] = {width: {} for width in _WIDTHS}

    def add(self, needle: str, meant: str) -> bool:
        """File a needle of four bytes or more with what it is the mark of; False if both are known."""
        if meant in self._meant.get(needle, ()):
            return False
        if needle not in self._meant:
            data = _data(needle)
            width = next(width for width in _WIDTHS if len(data) >= width)
            filed = self._by_gram[width]
            # Needles often begin alike: of the last windows the one that the fewest others are filed under.
            ends = range(len(data), max(width - 1, len(data) - _TRIED), -1)
            grams = [int.from_bytes(data[end - width : end], sys.byteorder) for end in ends]
            free = (each for each in grams if each not in filed)
            gram = next(free, None)
            if gram is None:
                gram = min(grams, key=lambda each: len(filed[each]))
            filed.setdefault(gram, []).append(needle)
        self._meant.setdefault(needle, []).append(meant)  # last: a search in the middle of this must file it itself
        return True

    def of(self, text: str) -> Iterator[tuple[str, list[str]]]:
        """Give each needle that a text holds, with what it is the mark of."""
        data = _data(text)
        for width, filed in self._by_gram.items():
            for gram in set(filter(filed.__contains__, _windows(data, width))) if filed else ():
                for needle in filed[gram]:
                    if needle in text:
                        yield needle, self._meant.get(needle, [])


def _data(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _windows(data: bytes, width: int) -> Iterator[int]:
    """Give every ``width`` bytes that stand together, as numbers."""
    view = memoryview(data)
    ends = ((offset, len(data) - (len(data) - offset) % width) for offset in range(width))
    return chain.from_iterable(view[begin:end].cast(_WIDTHS[width]) for begin, end in ends if begin < end)
