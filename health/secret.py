"""A text that never shows itself."""

from __future__ import annotations

import hmac
import json
from html import escape
from typing import NoReturn
from urllib.parse import quote, quote_plus

_LEAST = 4  # shorter texts are in every text
_KNOWN: dict[str, Secret] = {}  # every secret that this process has seen


class Secret:
    """Holds a secret so that printing, logging, formatting and pickling it give ``***`` or fail.

    Only :meth:`reveal` gives the text; call it where the text is used, never before.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text
        _KNOWN[text] = self

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def hidden_in(self, text: str) -> str:
        """A text from outside with this secret put out of it, raw or as URLs, JSON, Python and XML spell it."""
        raw = self._text
        spelt = {
            raw,
            quote(raw, safe=""),
            quote_plus(raw),
            quote(raw, safe="!'()*~"),
            json.dumps(raw)[1:-1],
            repr(raw)[1:-1],
            escape(raw),
        }
        for spelling in sorted(spelt, key=len, reverse=True):
            if len(spelling) >= _LEAST:
                text = text.replace(spelling, "***")
        return text

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled: secrets never leave their process")


def hide(text: str) -> str:
    """A text from outside with every secret that this process knows put out of it."""
    for secret in list(_KNOWN.values()):
        text = secret.hidden_in(text)
    return text
