"""Parses JSON and TOML that somebody else wrote: whatever is wrong with it, the error is one."""

from __future__ import annotations

import json
import tomllib
from typing import Any

_MOST_DOTS = 500  # in a line of settings


def parse_json(text: str) -> Any:
    """The value that a JSON text stands for.

    Raises:
        ValueError: it is none, is nested too deep, or has a number of too many digits.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None


def parse_toml(text: str) -> dict[str, Any]:
    """The tables of a TOML text.

    Raises:
        ValueError: as :func:`parse_json`; the text says where.
    """
    # The parser's time grows with the square of a name's parts.
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > _MOST_DOTS:
            raise ValueError(f"more than {_MOST_DOTS} dots in line {number}")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
