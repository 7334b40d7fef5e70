"""A text that never shows itself."""

from __future__ import annotations

import hmac
import re
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import takewhile
from typing import NoReturn

from health.secrets.encodings import Places, byte_forms, folded, foldings, forms, spans, unquoted
from health.secrets.index import NeedleIndex

LEAST = 6  # shorter texts are in every text, and no secrets worth the name
HIDDEN = "***"

# Where pytest, or who else shows a text, leaves out or masks its middle, its beginning or its end.
_CUT = re.compile(r"\.{3,}|…|\\u2026|\*{2,}|[•●]{2,}|#{3,}|_{3,}|x{3,}|X{3,}")
# A diff's line: pytest leaves out what both sides begin with.
_DIFFERS = re.compile(r"^(?:E\s+)?[-+?]\s(?=\S)", re.MULTILINE)
_PARTIAL = 6  # characters that may be left of an escape which was cut, too: of %2F, of \u0022
_SIDE = 2  # characters at either end of a secret whose middle is masked: fewer tell nothing
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
            _KNOWN.add(text)

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def hidden_in(self, text: str) -> str:
        """A text from outside with this secret put out of it, however it is spelt."""
        return _searcher(self._text).hide(text)

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


class Searcher:
    """Looks for many secrets together, in a time that grows with the text alone; secrets may come at any time.

    Args:
        vocabulary: whether the output itself is made of a text, with the white space in it or without: such a text
            stays, as a report without its own words could not be read.
    """

    def __init__(self, vocabulary: Callable[[str], bool] | None = None) -> None:
        self.vocabulary = vocabulary
        self.names: set[str] = set()  # the user's own, by which files and tests are called: they stay, too
        self._secrets: set[str] = set()
        self._new: deque[str] = deque()
        # Of its own thread's as well: what the garbage collector ends may log, in the middle of a search.
        self._lock = threading.RLock()
        self._raw = NeedleIndex()  # lines of secrets as they are
        self._most = NeedleIndex()  # of each form its first two thirds: who shows so much has shown it
        self._parts: dict[str, list[str]] = {}  # LEAST characters → the forms that hold them
        self._unparted: deque[str] = deque()
        self._sides = _Sides()
        self._longest = 0

    def add(self, secret: str) -> None:
        """Look for this secret too, from now on."""
        if secret not in self._secrets:
            self._new.append(secret)  # its forms are made when the next text is searched
            self._secrets.add(secret)

    def hide(self, text: str) -> str:
        """Return the text with ``***`` in place of each secret."""
        if len(text) < LEAST or not self._secrets:
            return text
        if self._new:
            self._take_new()
        found = [span for line, _ in self._raw.of(text) for span in spans(line, text)]
        for whole, breaks in foldings(text):
            hits = [hit for most, those in self._most.of(whole) for form in those for hit in _begun(form, most, whole)]
            if hits:
                places = Places(text, breaks=breaks)
                found += [places.of(*hit) for hit in hits]
        found += self._cut(text)
        return _without(text, found) if found else text

    def spares(self, text: str) -> bool:
        """Whether a text is among the output's own words."""
        named = any(text in name for name in self.names)
        return named or (self.vocabulary is not None and self.vocabulary(text))

    def _take_new(self) -> None:
        with self._lock:
            while self._new:
                secret = self._new[0]
                for line in {secret, *secret.splitlines()}:
                    if len(line) >= LEAST:
                        self._take(line)
                _done(self._new, secret)  # only now: another thread must not search without it

    def _take(self, line: str) -> None:
        if self.spares(line):
            plain = {folded(line), unquoted(line)}
        else:
            plain = {form for form in (folded(line), unquoted(line)) if self.spares(form)}
            self._raw.add(line, line)
            if not plain:
                self._sides.add(folded(line))
        cut = forms(line, LEAST) - plain
        for form in cut | byte_forms(line, LEAST):  # of the latter no ends are looked for
            if self._most.add(form[: max(LEAST, -(-2 * len(form) // 3))], form) and form in cut:
                self._unparted.append(form)
                self._longest = max(self._longest, len(form))

    def _holding(self, part: str) -> list[str]:
        """Return the forms that hold a part; they are taken apart when the first cut is seen."""
        if self._unparted:
            with self._lock:
                while self._unparted:
                    form = self._unparted[0]
                    for part_of in {form[at : at + LEAST] for at in range(len(form) - LEAST + 1)}:
                        self._parts.setdefault(part_of, []).append(form)
                    _done(self._unparted, form)
        return self._parts.get(part, [])

    @property
    def _far(self) -> int:
        return 8 * self._longest  # no quoting makes a secret longer

    def _cut(self, text: str) -> Iterator[tuple[int, int]]:
        """The ends of secrets that touch a place where something was left out."""
        for cut in _CUT.finditer(text):
            yield from self._after(text, cut.end(), LEAST)
            yield from self._before(text, cut.start())
            yield from self._sides.around(text, cut.start(), cut.end())
        for line in _DIFFERS.finditer(text):
            yield from self._after(text, line.end(), 2 * LEAST)

    def _after(self, text: str, at: int, least: int) -> Iterator[tuple[int, int]]:
        near = folded(text[at : at + _NEAR])
        for skipped in range(_PARTIAL):
            begin = near[skipped : skipped + LEAST]
            if not (holding := self._holding(begin)):
                continue
            longer = text[at : at + self._far]
            rest = folded(longer)
            ends = [f[k:] for f in holding for k, _ in spans(begin, f) if rest.startswith(f[k:], skipped)]
            if (length := max(map(len, ends), default=0)) >= least:
                yield at, at + Places(longer).of(skipped, skipped + length)[1]
                return

    def _before(self, text: str, at: int) -> Iterator[tuple[int, int]]:
        near = folded(text[max(0, at - _NEAR) : at])
        for skipped in range(_PARTIAL):
            end = len(near) - skipped
            last = near[max(0, end - LEAST) : end]
            if not (holding := self._holding(last)):
                continue
            longer = text[max(0, at - self._far) : at]
            rest = folded(longer)
            end = len(rest) - skipped
            begins = [
                f[:k]
                for f in holding
                for _, k in spans(last, f)
                # URLs begin alike: a few characters of one tell nothing
                if k >= max(LEAST, len(f) / 3) and rest.endswith(f[:k], 0, end)
            ]
            if length := max(map(len, begins), default=0):
                yield at - len(longer) + Places(longer).of(end - length, end)[0], at
                return


def _done(waiting: deque[str], text: str) -> None:
    """Take away the first of those that wait, unless a search within this one has."""
    if waiting and waiting[0] is text:
        waiting.popleft()


class _Sides:
    """Looks for secrets with only their middle left out, as in ``pa***rd``: both ends tell which it is."""

    def __init__(self) -> None:
        # Two characters → the secrets that have them there: before a place in them, and behind one.
        self._heads: dict[str, list[tuple[str, int]]] = defaultdict(list)
        self._tails: dict[str, list[tuple[str, int]]] = defaultdict(list)
        self._longest = 0

    def add(self, secret: str) -> None:
        """Look for this secret, as it is when it is folded."""
        for at in range(_SIDE, len(secret) - _SIDE + 1):
            self._heads[secret[at - _SIDE : at]].append((secret, at))
            self._tails[secret[at : at + _SIDE]].append((secret, at))
        self._longest = max(self._longest, len(secret))

    def around(self, text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
        """Give the span of a secret whose middle is left out at a place, if there is one."""
        heads = self._heads.get(folded(text[max(0, begin - _NEAR) : begin])[-_SIDE:])
        tails = self._tails.get(folded(text[end : end + _NEAR])[:_SIDE])
        if not heads or not tails:
            return
        before, after = text[max(0, begin - 8 * self._longest) : begin], text[end : end + 8 * self._longest]
        first, last = folded(before), folded(after)
        shown: dict[str, int] = {}
        for secret, at in heads:
            if first.endswith(secret[:at]):
                shown[secret] = max(at, shown.get(secret, 0))
        for secret, at in tails:
            if (known := shown.get(secret, len(secret))) <= at and last.startswith(secret[at:]):
                left = Places(before).of(len(first) - known, len(first))[0]
                yield begin - len(before) + left, end + Places(after).of(0, len(secret) - at)[1]


_KNOWN = Searcher()  # every secret that this process has seen


def hide(text: str) -> str:
    """A text with every secret that this process knows put out of it, however it is spelt, whole or cut."""
    return _KNOWN.hide(text)


def keep_words(vocabulary: Callable[[str], bool]) -> None:
    """Leave the words alone that the output is made of, also where one is a secret: see :func:`not_hidden`."""
    _KNOWN.vocabulary = vocabulary


def keep_name(name: str) -> None:
    """Leave the name of an environment alone, likewise."""
    _KNOWN.names.add(name)


def not_hidden(secret: Secret) -> str:
    """Why :func:`hide` leaves a secret where it is; empty where it does not."""
    text = secret.reveal()
    if 0 < len(text) < LEAST:
        return f"it has fewer than {LEAST} characters"
    return "it is a word of the report" if text and _KNOWN.spares(text) else ""


@lru_cache(maxsize=8)
def _searcher(secret: str) -> Searcher:
    searcher = Searcher()
    searcher.add(secret)
    return searcher


def _begun(form: str, most: str, text: str) -> Iterator[tuple[int, int]]:
    """Where a text holds the most of a form, as far as it goes on alike."""
    rest = form[len(most) :]
    for begin, end in spans(most, text):
        further = takewhile(lambda pair: pair[0] == pair[1], zip(rest, text[end : end + len(rest)], strict=False))
        yield begin, end + sum(1 for _ in further)


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
