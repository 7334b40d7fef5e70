"""A text that never shows itself."""

from __future__ import annotations

import hmac
from typing import NoReturn


class Secret:
    """Holds a secret so that printing, logging, formatting and pickling it give ``***`` or fail.

    Only :meth:`reveal` gives the text; call it where the text is used, never before.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

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
