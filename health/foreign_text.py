"""Parses JSON and TOML that somebody else wrote: whatever is wrong with it, the error is one."""

from __future__ import annotations

import json
import tomllib
from typing import Any


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
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
