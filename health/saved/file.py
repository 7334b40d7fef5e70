"""The bytes of a saved run: JSON, compressed by gzip. What comes from a file may be hostile."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

from health.report.json_values import Json, from_json, to_json
from health.saved.run import SavedRun

SCHEMA_VERSION = 1
FORMAT = "migration-health saved run"

LARGEST = 50_000_000  # bytes of JSON
_MOST_VALUES = 4_000_000  # each takes memory by itself, whatever it is
_DEEPEST = 200  # far below what Python's own stack allows


class SavedFileError(Exception):
    """A file is none that can be replayed; the text says why on one line."""


def to_bytes(run: SavedRun, clean: Callable[[Json], Json] = lambda data: data) -> bytes:
    """Write a run; ``clean`` takes secrets out of texts.

    Raises:
        SavedFileError: it could not be read back.
    """
    told = {"format": FORMAT, "schema_version": SCHEMA_VERSION, "run": clean(to_json(run, named=True))}
    text = json.dumps(told, separators=(",", ":"), ensure_ascii=True).encode()
    if len(text) > LARGEST or _values(text) > _MOST_VALUES:
        raise SavedFileError(f"what was read is larger than {LARGEST // 1_000_000} MB")
    return gzip.compress(text, mtime=0)


def from_bytes(data: bytes) -> SavedRun:
    """Read a run; classes are those of the types of this program, whatever the file says.

    Raises:
        SavedFileError: the bytes are none, damaged, too large, or of a version that is not known.
    """
    told = _parsed(_text(data))
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise SavedFileError("not written by --save")
    version = told.get("schema_version")
    if version != SCHEMA_VERSION:
        known = f"this one reads version {SCHEMA_VERSION}"
        raise SavedFileError(f"written by another version of the suite (schema version {version!r:.20}; {known})")
    try:
        return from_json(SavedRun, told.get("run"))
    except (ValueError, TypeError, RecursionError) as error:
        raise SavedFileError(f"damaged: {error}") from None


def _text(data: bytes) -> bytes:
    """Decompress, up to the limit."""
    try:
        unpacking = zlib.decompressobj(wbits=31)  # gzip's own form, one member
        text = unpacking.decompress(data, LARGEST + 1)
    except zlib.error:
        raise SavedFileError("not written by --save (no gzip)") from None
    if len(text) > LARGEST or _values(text) > _MOST_VALUES:
        raise SavedFileError(f"larger than {LARGEST // 1_000_000} MB, or {_MOST_VALUES:,} values, once decompressed")
    if not unpacking.eof:
        raise SavedFileError("damaged: it ends too early")
    return text


def _parsed(text: bytes) -> Any:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):  # also where it is not UTF-8
        raise SavedFileError("damaged: no JSON, or too deep") from None
    if _depth(told) > _DEEPEST:
        raise SavedFileError("damaged: too deep")
    return told


def _values(text: bytes) -> int:
    """How many values there are at most; each but the first of a list follows a comma."""
    return sum(map(text.count, (b",", b"[", b"{")))


def _depth(told: object) -> int:
    """How deep lists and objects stand in each other; level by level, as a hostile one ends the stack."""
    depth, level = 0, [told]
    while level and depth <= _DEEPEST:
        inner = [each for each in level if isinstance(each, dict | list)]
        level = [value for each in inner for value in (each.values() if isinstance(each, dict) else each)]
        depth += 1
    return depth
