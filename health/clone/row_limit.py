"""Up to which size the rows of a table are copied to the clone."""

from __future__ import annotations

import re

_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?(kB|MB)", re.IGNORECASE)
_UNITS = {"kb": 1_000, "mb": 1_000_000}
MOST_BYTES = 100_000_000  # of one table
MOST_IN_ALL = 200_000_000


class RowLimitError(ValueError):
    """What is asked for is no size."""


def parse(text: str, source: str) -> int:
    """The size in bytes; 0 copies nothing.

    Raises:
        RowLimitError: it is no size, or too large.
    """
    if text == "0":
        return 0
    size = _SIZE.fullmatch(text)
    if size is None:
        raise RowLimitError(f"{source}: rows {text!r} is no size. Write one such as 10MB, or 0 for none.")
    found = round(float(size[1]) * _UNITS[size[2].lower()])
    if found > MOST_BYTES:
        raise RowLimitError(f"{source}: rows {text!r} is more than {MOST_BYTES // 1_000_000}MB, the most for a table.")
    return found
