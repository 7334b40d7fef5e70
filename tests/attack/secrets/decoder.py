"""Looks for a secret in an output by decoding the output, in every way that it can; the product encodes the secret."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote, unquote_to_bytes

_NUMBERS = {10: r"(?<![0-9])[0-9]{1,3}", 16: r"(?:0[xX])?[0-9a-fA-F]{2}", 8: r"(?:0o)?[0-7]{2,3}"}
_BETWEEN = r"[\s,:;-]{0,6}"
_ESCAPE = re.compile(
    r"\\+(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|([nrt0])|(.))", re.DOTALL
)
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}


def finds(secret: str, data: bytes) -> str:
    """How the secret can be read out of an output; empty where it cannot."""
    return next((how for _, how in find([secret], data)), "")


def find(secrets: Iterable[str], data: bytes) -> Iterator[tuple[str, str]]:
    """The secrets that can be read out of an output, each with how."""
    wanted = {secret: _written(secret) for secret in secrets}
    for how, each in _readings(data):
        bare = _bare(each)
        yield from ((secret, how) for secret, ways in wanted.items() if any(one in bare for one in ways))


def _written(secret: str) -> set[bytes]:
    bare = {_bare(secret.encode(each, "surrogatepass")) for each in ("utf-8", "utf-16-le", "utf-16-be")}
    return bare | {_bare(secret.encode().decode("latin-1").encode())}


def _bare(data: bytes) -> bytes:
    """Without what a person overlooks: white space, NULs, quotation marks, colours."""
    return re.sub(rb"\x1b\[[0-9;]*m", b"", data).translate(None, b" \t\r\n\v\f\0'\\+")


def _readings(data: bytes) -> Iterator[tuple[str, bytes]]:
    yield "as it is", data
    yield "one backslash", re.sub(rb"\\([nrt])|\\(.)", lambda found: found[2] or b"", data)
    joined = re.sub(r'" *\n *(?:E +)?"', "", data.decode("utf-8", "surrogateescape"))
    yield "joined", _data(_unescaped(joined))
    yield "shell", data.replace(b"'\"'\"'", b"'")
    plain = data.decode("utf-8", "surrogateescape")
    for round_ in range(3):
        yield f"unescaped {round_}", _data(_unescaped(plain))
        yield f"unescaped, of bytes {round_}", _unescaped(plain).encode("latin-1", "replace")
        yield f"HTML {round_}", _data(html.unescape(plain))
        yield f"URL {round_}", unquote_to_bytes(_data(plain))
        yield f"doubled percent {round_}", _data(plain.replace("%%", "%"))
        plain = unquote_to_bytes(_data(html.unescape(_unescaped(plain)))).decode("utf-8", "surrogateescape")
        yield f"all {round_}", _data(plain)
    text = data.decode("latin-1")
    for each in {text, re.sub(r"\s+", "", text), _unescaped(text), unquote(text), re.sub("['\"]", "", text)}:
        yield from _in_letters(each)
        yield from _in_numbers(each)


def _data(text: str) -> bytes:
    """The bytes of a text; surrogates in pairs are one character, others are bytes that are no UTF-8."""
    joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    try:
        return joined.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return joined.encode("utf-8", "surrogatepass")


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    code, octal, control, other = found[1] or found[2] or found[3], found[4], found[5], found[6]
    if code or octal:
        return chr(min(int(code, 16), 0x10FFFF) if code else int(octal, 8))
    return _CONTROLS[control] if control else str(other)


def _in_letters(text: str) -> Iterator[tuple[str, bytes]]:
    for run in re.findall(r"[A-Za-z0-9+/_-]{8,}", text):
        letters = run.translate(str.maketrans("-_", "+/"))
        for skipped in range(4):
            rest = letters[skipped:]
            yield "base64", base64.b64decode(rest[: len(rest) // 4 * 4])
            yield "base64, its end", base64.b64decode(rest + "A" * (-len(rest) % 4))
    for run in re.findall(r"[A-Z2-7]{8,}|[a-z2-7]{8,}", text):
        for skipped in range(8):
            rest = run[skipped:].upper()
            yield "base32", base64.b32decode(rest + "A" * (-len(rest) % 8))


def _in_numbers(text: str) -> Iterator[tuple[str, bytes]]:
    for base, pattern in _NUMBERS.items():
        for run in re.finditer(f"(?:{pattern}{_BETWEEN}){{6,}}", text):
            for skipped in range(2):
                numbers = [int(each, base) for each in re.findall(pattern, text[run.start() + skipped : run.end() + 1])]
                yield f"numbers to base {base}", bytes(each for each in numbers if each < 256)
