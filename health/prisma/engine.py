"""Rules of Prisma's schema engine and its command line on single texts: checksums, names, the lock file.

Source: observed on the engines of Prisma 6.19.3 and 7.10.1.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import LiteralString

TABLE = "_prisma_migrations"
MIGRATE_LOCK = 72707369  # the advisory lock that Prisma's engine holds while it migrates
LOCK_FILE = "migration_lock.toml"
PROVIDER = "postgresql"

# The columns of the table, as the engine makes it.
COLUMNS_SQL: LiteralString = """
    id VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum VARCHAR(64) NOT NULL,
    finished_at TIMESTAMPTZ,
    migration_name VARCHAR(255) NOT NULL,
    logs TEXT,
    rolled_back_at TIMESTAMPTZ,
    started_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count INTEGER NOT NULL DEFAULT 0
"""

# ICU's root collation for ASCII, which the CLI's localeCompare uses; other control characters weigh nothing.
_ASCII_ORDER = "\t\n\v\f\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789"
_HEXADECIMAL = re.compile(r"[0-9a-f]{64}")
_UNPADDED = re.compile(r"[0-9a-f]{32,63}")


def decode(data: bytes) -> str:
    """A file's text as the engine sees it: bytes that are not UTF-8 become U+FFFD; a byte order mark stays."""
    return data.decode("utf-8", errors="replace")


def checksum(text: str) -> str:
    """The checksum that the engine records for a migration's text."""
    return hashlib.sha256(text.encode("utf-8", errors="replace")).hexdigest()


def same_checksum(text: str, digest: str, stored: str) -> bool:
    r"""Whether the engine takes a stored checksum as that of a text, whose own checksum is ``digest``.

    It also tries the text with ``\r\n`` as ``\n``, and with each ``\n`` as ``\r\n``; a stored value of another
    length than 64 is compared with the old form, which left out leading zeros of bytes.
    """
    if stored == digest:
        return True
    if _UNPADDED.fullmatch(stored):
        digests = (checksum(each) for each in (text, *_line_endings(text)))
        return any(_unpadded(each) == stored for each in digests)
    return bool(_HEXADECIMAL.fullmatch(stored)) and any(checksum(each) == stored for each in _line_endings(text))


def engine_made(stored: str) -> bool:
    """Whether a checksum can come from an engine: 64 hexadecimal digits, or the old form of them."""
    return bool(_UNPADDED.fullmatch(stored) or _HEXADECIMAL.fullmatch(stored.lower()))


def provider(lock_file: str) -> str | None:
    """The provider that a lock file names, as the engine reads it; None without a line that begins so."""
    lines: list[str] = re.findall(r"[^\n]*\n|[^\n]+", lock_file)  # only a newline ends a line
    for line in lines:
        if line.startswith("provider"):
            value = line.removesuffix("\n").removesuffix("\r") if line.endswith("\n") else line
            while value.startswith("provider = "):
                value = value.removeprefix("provider = ")
            return value.strip('"')
    return None


def directory_order(name: str) -> tuple[list[tuple[int, str]], str, list[bool]]:
    """The sort key of a migration's name in the CLI's order; beyond ASCII it is an approximation."""
    primary, marks, cases = [], "", []
    for char in unicodedata.normalize("NFD", name):
        place = _ASCII_ORDER.find(char)
        if place >= 0:
            primary.append((place, ""))
            cases.append(False)
        elif unicodedata.combining(char):
            marks += char
        elif unicodedata.category(char) != "Cc":
            primary.append((len(_ASCII_ORDER), char.lower()))
            cases.append(char.isupper())
    return primary, marks, cases


def _line_endings(text: str) -> tuple[str, ...]:
    if "\n" not in text:
        return ()
    return text.replace("\r\n", "\n"), text.replace("\n", "\r\n")


def _unpadded(digest: str) -> str:
    return ("%x" * 32) % tuple(bytes.fromhex(digest))
