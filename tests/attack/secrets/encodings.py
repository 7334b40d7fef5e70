"""Ways to write a secret."""

from __future__ import annotations

import base64
import json
import re
import shlex
import textwrap
from collections.abc import Callable
from html import escape
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import quoteattr


def _b64(text: str, before: int = 0) -> str:
    return base64.b64encode(b"\xfe" * before + text.encode() + b"\xfe" * 4).decode()


def _b32(text: str, before: int = 0) -> str:
    return base64.b32encode(b"\xfe" * before + text.encode() + b"\xfe" * 6).decode()


def _bytes(text: str) -> list[int]:
    return list(text.encode())


ENCODINGS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "URL": lambda text: quote(text, safe=""),
    "URL, lower": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "form": quote_plus,
    "JSON": json.dumps,
    "JSON, not ASCII": lambda text: json.dumps(text, ensure_ascii=False),
    "JSON twice": lambda text: json.dumps(json.dumps({"a": text})),
    "repr": repr,
    "repr of bytes": lambda text: repr(text.encode()),
    "every byte \\x": lambda text: "".join(f"\\x{byte:02X}" for byte in text.encode()),
    "every character \\u": lambda text: "".join(
        f"\\u{unit:04x}" for unit in memoryview(text.encode("utf-16-le")).cast("H")
    ),
    "HTML": escape,
    "XML": quoteattr,
    "XML, numbers": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "XML, hexadecimal": lambda text: "".join(f"&#x{ord(char):X};" for char in text),
    "shell": shlex.quote,
    "SQL": lambda text: text.replace("'", "''"),
    "octal": lambda text: "".join(f"\\{byte:03o}" for byte in text.encode()),
    "list": lambda text: str(_bytes(text)),
    "list, compact": lambda text: json.dumps(_bytes(text), separators=(",", ":")),
    "list, a line each": lambda text: json.dumps(_bytes(text), indent=2),
    "od": lambda text: " ".join(f"{byte:03o}" for byte in text.encode()),
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal, upper": lambda text: text.encode().hex().upper(),
    "hexadecimal, blanks": lambda text: text.encode().hex(" "),
    "hexadecimal, colons": lambda text: text.encode().hex(":").upper(),
    "hexadecimal, pairs": lambda text: text.encode().hex(" ", 2),
    "0x": lambda text: "0x" + text.encode().hex(),
    "list of hex": lambda text: ", ".join(f"0x{byte:02x}" for byte in text.encode()),
    "list of hex, quoted": lambda text: str([f"0x{byte:02X}" for byte in text.encode()]),
    "bytea": lambda text: f"\\x{text.encode().hex()}",
    "broken lines": lambda text: "\n".join(text[at : at + 5] for at in range(0, len(text), 5)),
    "broken lines in JSON": lambda text: json.dumps("\n".join(text[at : at + 5] for at in range(0, len(text), 5))),
    "a literal on several lines": lambda text: "\n E   ".join(
        json.dumps(part) for part in re.findall(r".{1,6}[^\\]|.+", text, re.DOTALL)
    ),
    "spaced": " ".join,
    "indented": lambda text: "\n        ".join(text[at : at + 7] for at in range(0, len(text), 7)),
    "coloured": "\x1b[31m".join,
    "UTF-16": lambda text: text.encode("utf-16-le").decode("latin-1"),
    "UTF-16, big end first": lambda text: text.encode("utf-16-be").decode("latin-1"),
    "UTF-16, repr": lambda text: repr(text.encode("utf-16")),
    "UTF-16, hexadecimal": lambda text: text.encode("utf-16-le").hex(),
    "UTF-16, base64": lambda text: base64.b64encode(text.encode("utf-16")).decode(),
    "UTF-16, big, base64": lambda text: base64.b64encode(b"a" + text.encode("utf-16-be") + b"bc").decode(),
    "UTF-16, list": lambda text: str(list(text.encode("utf-16-be"))),
    **{f"base64, {before} before": lambda text, before=before: _b64(text, before) for before in range(3)},  # type: ignore[misc]
    "base64, for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64, wrapped": lambda text: "\n".join(textwrap.wrap(_b64(text), 12)),
    "base64 in a URL": lambda text: quote(_b64(text), safe=""),
    "basic authentication": lambda text: base64.b64encode(f"postgres:{text}".encode()).decode(),
    **{f"base32, {before} before": lambda text, before=before: _b32(text, before) for before in range(5)},  # type: ignore[misc]
    "base32, lower": lambda text: _b32(text).lower(),
}
