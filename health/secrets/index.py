"""Finds which of many texts another one holds, in a time that grows with that one alone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

_GRAM = 4  # bytes that the window over a text holds


class NeedleIndex:
    """Files each needle under four of its bytes, and looks only for those whose four a text holds."""

    def __init__(self) -> None:
        self._meant: dict[str, list[str]] = {}
        self._by_gram: dict[int, list[str]] = {}

    def add(self, needle: str, meant: str) -> bool:
        """File a needle of four bytes or more with what it is the mark of; False if both are known."""
        meanings = self._meant.setdefault(needle, [])
        if meant in meanings:
            return False
        meanings.append(meant)
        if len(meanings) == 1:
            # Needles often begin alike: the last window that the fewest others are filed under.
            gram = min(reversed(list(_windows(needle))), key=lambda each: len(self._by_gram.get(each, ())))
            self._by_gram.setdefault(gram, []).append(needle)
        return True

    def of(self, text: str) -> Iterator[tuple[str, list[str]]]:
        """Give each needle that a text holds, with what it is the mark of."""
        for gram in set(filter(self._by_gram.__contains__, _windows(text))):
            for needle in self._by_gram[gram]:
                if needle in text:
                    yield needle, self._meant[needle]


def _windows(text: str) -> Iterator[int]:
    """Give every four bytes that stand together in a text, as numbers."""
    data = memoryview(text.encode("utf-8", "surrogatepass"))
    ends = ((offset, len(data) - (len(data) - offset) % _GRAM) for offset in range(_GRAM))
    return chain.from_iterable(data[begin:end].cast("I") for begin, end in ends if begin < end)
