"""Redacts values: texts, what holds texts, and pytest's reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import is_dataclass
from typing import Any, TypeVar

import pytest
from _pytest._code.code import TerminalRepr  # the type of every representation on a report

from health.secrets.secret import hide

T = TypeVar("T")
R = TypeVar("R", pytest.TestReport, pytest.CollectReport)

_NEEDED = {"nodeid", "location", "keywords"}  # pytest and xdist find tests by them


def hidden(value: T) -> T:
    """The same value without secrets; JSON's kinds of values, tuples, bytes and dataclasses are looked into."""
    text = "\n".join(_texts(value))
    return value if hide(text) == text else _hidden(value)


def hidden_bytes(data: bytes) -> bytes:
    """Bytes without the secrets that stand in them as UTF-8; all others stay as they are."""
    return hide(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def redact_report(report: R) -> R:
    """Redact a report in place, with whatever other plugins have put on it."""
    for name, value in vars(report).items():
        if name in _NEEDED:
            continue
        if isinstance(value, TerminalRepr):
            redact_representation(value)
            text = str(value)
            if hide(text) != text:  # told over several lines
                setattr(report, name, hide(text))
        else:
            setattr(report, name, hidden(value))
    return report


def redact_representation(value: object) -> None:
    """Redact a traceback in place, so that it is shown in its colours, and found where others look for its parts."""
    for name, part in vars(value).items() if isinstance(value, TerminalRepr) else ():
        for inner in _representations(part):
            redact_representation(inner)
        setattr(value, name, hidden(part))


def _representations(value: object) -> Iterator[TerminalRepr]:
    if isinstance(value, TerminalRepr):
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _representations(each)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield value.decode("utf-8", "surrogateescape")
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(key)
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
    elif _is_record(value):
        for inner in vars(value).values():
            yield from _texts(inner)


def _hidden(value: Any) -> Any:
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, bytes):
        return hidden_bytes(value)
    if isinstance(value, Mapping):
        return {_hidden(key): _hidden(inner) for key, inner in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_hidden(inner) for inner in value)
    if _is_record(value):
        redacted = copy(value)
        vars(redacted).update({name: _hidden(inner) for name, inner in vars(value).items()})
        return redacted
    return value


def _is_record(value: object) -> bool:
    """Whether a value is a dataclass with texts of its own; pytest's representations are redacted in place."""
    return is_dataclass(value) and not isinstance(value, type | TerminalRepr) and hasattr(value, "__dict__")
