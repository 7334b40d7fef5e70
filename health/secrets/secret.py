"""A text that never shows itself."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from itertools import takewhile
from typing import NoReturn

from health.secrets.encodings import Places, folded, forms, spans

LEAST = 6  # shorter texts are in every text, and no secrets worth the name
HIDDEN = "***"
_KNOWN: dict[str, Secret] = {}  # every secret that this process has seen

# Where pytest, or who else shows a text, leaves out its middle, its beginning or its end.
_CUT = re.compile(r"\.{3,}|…|\\u2026")
# A diff's line: pytest leaves out what both sides begin with.
_DIFFERS = re.compile(r"^(?:E\s+)?[-+?]\s(?=\S)", re.MULTILINE)
_PARTIAL = 6  # characters that may be left of an escape which was cut, too: of %2F, of \u0022
_NEAR = 60  # in so many characters stand LEAST ones, and such a remnant, however they are quoted


class Secret:
    """Holds a secret so that printing, logging, formatting and pickling it give ``***`` or fail.

    Only :meth:`reveal` gives the text; call it where the text is used, never before.

    Args:
        text: the secret.
        common: it may be a word that other texts hold innocently: it is not shown, but not put out of them either.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str, *, common: bool = False) -> None:
        self._text = text
        if not common:
            _KNOWN[text] = self

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def hidden_in(self, text: str) -> str:
        """A text from outside with this secret put out of it, however it is spelt."""
        return _searcher((self._text,)).hide(text)

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled: secrets never leave their process")


def hide(text: str) -> str:
    """A text with every secret that this process knows put out of it, however it is spelt, whole or cut."""
    if len(text) < LEAST or not _KNOWN:
        return text
    return _searcher(tuple(_KNOWN)).hide(text)


class _Searcher:
    """Looks for some secrets together."""

    def __init__(self, secrets: Iterable[str]) -> None:
        lines = {line for secret in secrets for line in (secret, *secret.splitlines())}
        self._raw = sorted(line for line in lines if len(line) >= LEAST)
        self._forms = sorted({form for line in self._raw for form in forms(line, LEAST)})

    @cached_property
    def _parts(self) -> frozenset[str]:
        """Whatever an end of a secret begins or ends with."""
        return frozenset(form[at : at + LEAST] for form in self._forms for at in range(len(form) - LEAST + 1))

    @cached_property
    def _most(self) -> dict[str, str]:
        """Of each form its first two thirds: whoever shows so much has shown it."""
        return {form: form[: max(LEAST, -(-2 * len(form) // 3))] for form in self._forms}

    @cached_property
    def _far(self) -> int:
        return 8 * max(map(len, self._forms), default=0)  # no quoting makes a secret longer

    def hide(self, text: str) -> str:
        """The text with ``***`` in place of each."""
        whole = folded(text)
        found = [span for secret in self._raw if secret in text for span in spans(secret, text)]
        hits = [span for form in self._forms if form in whole for span in spans(form, whole)]
        hits += [span for form, most in self._most.items() if most in whole for span in _begun(form, most, whole)]
        if hits:
            places = Places(text)
            found += [places.of(*hit) for hit in hits]
        found += self._cut(text)
        return _without(text, found) if found else text

    def _cut(self, text: str) -> Iterator[tuple[int, int]]:
        """The ends of secrets that touch a place where something was left out."""
        for cut in _CUT.finditer(text):
            yield from self._after(text, cut.end(), LEAST)
            yield from self._before(text, cut.start())
        for line in _DIFFERS.finditer(text):
            yield from self._after(text, line.end(), 2 * LEAST)

    def _after(self, text: str, at: int, least: int) -> Iterator[tuple[int, int]]:
        near = folded(text[at : at + _NEAR])
        for skipped in range(_PARTIAL):
            if (begin := near[skipped : skipped + LEAST]) not in self._parts:
                continue
            longer = text[at : at + self._far]
            rest = folded(longer)
            ends = [f[k:] for f in self._forms for k, _ in spans(begin, f) if rest.startswith(f[k:], skipped)]
            if (length := max(map(len, ends), default=0)) >= least:
                yield at, at + Places(longer).of(skipped, skipped + length)[1]
                return

    def _before(self, text: str, at: int) -> Iterator[tuple[int, int]]:
        near = folded(text[max(0, at - _NEAR) : at])
        for skipped in range(_PARTIAL):
            end = len(near) - skipped
            if (last := near[max(0, end - LEAST) : end]) not in self._parts:
                continue
            longer = text[max(0, at - self._far) : at]
            rest = folded(longer)
            end = len(rest) - skipped
            begins = [
                f[:k]
                for f in self._forms
                for _, k in spans(last, f)
                # URLs begin alike: a few characters of one tell nothing
                if k >= max(LEAST, len(f) / 3) and rest.endswith(f[:k], 0, end)
            ]
            if length := max(map(len, begins), default=0):
                yield at - len(longer) + Places(longer).of(end - length, end)[0], at
                return


def _begun(form: str, most: str, text: str) -> Iterator[tuple[int, int]]:
    """Where a text holds the most of a form, as far as it goes on alike."""
    for begin, end in spans(most, text):
        further = takewhile(lambda pair: pair[0] == pair[1], zip(form[len(most) :], text[end:], strict=False))
        yield begin, end + sum(1 for _ in further)


@lru_cache(maxsize=8)
def _searcher(secrets: tuple[str, ...]) -> _Searcher:
    return _Searcher(secrets)


def _without(text: str, found: list[tuple[int, int]]) -> str:
    pieces, at = [], 0
    merged: list[list[int]] = []
    for begin, end in sorted(found):
        if merged and begin <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([begin, end])
    for begin, end in merged:
        pieces += [text[at:begin], HIDDEN]
        at = end
    return "".join([*pieces, text[at:]])
