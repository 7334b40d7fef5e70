"""Prisma's rules on single texts: checksums, the lock file, the order of a directory."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import string
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from health.prisma.engine import checksum, decode, directory_order, engine_made, provider, same_checksum
from tests.support.load import patience

LF, CRLF, MIXED, DOUBLED = "a;\nb;\n", "a;\r\nb;\r\n", "a;\r\nb;\n", "a;\r\r\nb;\r\r\n"
PADDED = "SELECT 0;\n"  # its checksum has bytes below 0x10, which the old form writes with one digit
FULL = "SELECT 148;\n"  # its checksum has none


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def old(text: str) -> str:
    """The form of the first engines: each byte by itself, without a leading zero."""
    return "".join(f"{byte:x}" for byte in hashlib.sha256(text.encode()).digest())


def same(text: str, stored: str) -> bool:
    return same_checksum(text, checksum(text), stored)


@pytest.mark.parametrize(
    ("disk", "recorded", "equal"),
    [
        (LF, LF, True),
        (LF, CRLF, True),
        (LF, MIXED, False),
        (LF, DOUBLED, False),
        (CRLF, LF, True),
        (CRLF, CRLF, True),
        (CRLF, DOUBLED, True),
        (CRLF, MIXED, False),
        (MIXED, LF, True),
        (MIXED, MIXED, True),
        (MIXED, CRLF, False),
        (MIXED, "a;\r\r\nb;\r\n", True),
        ("a;\rb;", "a;\nb;", False),
        ("a;\rb;", "a;b;", False),
        ("a;", "a;\n", False),
        ("a;\n", "a;", False),
        ("a; \n", "a;\n", False),
        ("\ufeffa;\n", "a;\n", False),
        ("\ufeffa;\n", "\ufeffa;\r\n", True),
        ("", "", True),
        ("", "\n", False),
    ],
)
@pytest.mark.parametrize("form", [digest, old])
def test_line_endings_are_no_edit_where_one_rule_makes_them_equal(
    disk: str, recorded: str, form: Callable[[str], str], *, equal: bool
) -> None:
    r"""The file as it is, with ``\r\n`` as ``\n``, or with each ``\n`` as ``\r\n``; the row's sum stays as it is."""
    assert same(disk, form(recorded)) is equal


@pytest.mark.parametrize(
    ("stored", "equal"),
    [
        pytest.param(digest(PADDED), True, id="as the engine writes it"),
        pytest.param(old(PADDED), True, id="old form"),
        pytest.param(digest(PADDED).upper(), False, id="upper case"),
        pytest.param(old(PADDED).upper(), False, id="old form in upper case"),
        pytest.param("", False, id="empty"),
        pytest.param("manual", False, id="manual"),
        pytest.param("0" * 64, False, id="zeros"),
        pytest.param(digest(PADDED)[:-1], False, id="cut short"),
        pytest.param(digest(PADDED) + "0", False, id="too long"),
        pytest.param(f" {digest(PADDED)}", False, id="with a blank"),
        pytest.param(f"{digest(PADDED)}\n", False, id="with a line's end"),
        pytest.param("٣" * 64, False, id="digits of another script"),
        pytest.param("é" * 64, False, id="no digits"),
    ],
)
def test_a_stored_value_is_taken_as_it_is(stored: str, *, equal: bool) -> None:
    assert same(PADDED, stored) is equal


def test_the_old_form_of_a_sum_without_small_bytes_is_the_sum() -> None:
    assert old(FULL) == digest(FULL)
    assert same(FULL, old(FULL))
    assert old(PADDED) != digest(PADDED)


SCRIPTS = st.text(st.sampled_from("a\r\n"), max_size=8)


@given(SCRIPTS, SCRIPTS)
@example(CRLF, LF)
@example(MIXED, CRLF)
def test_any_two_texts_are_compared_by_the_three_forms(disk: str, recorded: str) -> None:
    forms = {disk, disk.replace("\r\n", "\n"), disk.replace("\n", "\r\n")}
    assert same(disk, digest(recorded)) is (recorded in forms)
    assert same(disk, old(recorded)) is (recorded in forms)


@given(st.text(), st.text(max_size=70))
def test_no_stored_text_is_too_strange(disk: str, stored: str) -> None:
    assert same(disk, stored) is False
    assert engine_made(stored) in {True, False}


@given(st.text())
def test_the_sum_is_of_the_bytes_where_they_are_utf_8(text: str) -> None:
    data = text.encode()
    assert decode(data) == text
    assert checksum(decode(data)) == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"caf\xe9", "caf\ufffd"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"\xf0\x9f\x98;", "\ufffd;"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
        (b"\xc0\xaf", "\ufffd\ufffd"),
        (b"\xef\xbb\xbfa", "\ufeffa"),
        (b"a\r\nb\r", "a\r\nb\r"),
        (b"\0", "\0"),
    ],
)
def test_a_file_is_decoded_as_node_does_it(data: bytes, text: str) -> None:
    assert decode(data) == text
    assert checksum(decode(data)) == digest(text)


@given(st.binary())
def test_any_bytes_have_a_sum(data: bytes) -> None:
    assert same(decode(data), checksum(decode(data)))


@pytest.mark.parametrize(
    ("stored", "made"),
    [
        (digest(LF), True),
        (old(PADDED), True),
        ("manual", False),
        ("", False),
        ("a" * 65, False),
        ("g" * 64, False),
        (f"{digest(LF)}\n", False),
    ],
)
def test_what_an_engine_writes(stored: str, *, made: bool) -> None:
    assert engine_made(stored) is made


PLAIN = 'provider = "postgresql"'


@pytest.mark.parametrize(
    ("lock_file", "named"),
    [
        pytest.param(f"# Please do not edit this file manually\n{PLAIN}\n", "postgresql", id="as Prisma writes it"),
        pytest.param(PLAIN, "postgresql", id="no end of the last line"),
        pytest.param(f"# x\r\n{PLAIN}\r\n", "postgresql", id="CRLF"),
        pytest.param("provider = postgresql\n", "postgresql", id="no quotes"),
        pytest.param('provider = "mysql"\n', "mysql", id="another"),
        pytest.param('provider = "postgres"\n', "postgres", id="an alias"),
        pytest.param(
            f'<<<<<<< HEAD\n{PLAIN}\n=======\nprovider = "mysql"\n>>>>>>> b\n', "postgresql", id="conflict, ours first"
        ),
        pytest.param(
            f'<<<<<<< HEAD\nprovider = "mysql"\n=======\n{PLAIN}\n>>>>>>> b\n', "mysql", id="conflict, theirs first"
        ),
        pytest.param('provider   = "postgresql"\n', 'provider   = "postgresql', id="several blanks"),
        pytest.param('provider="postgresql"\n', 'provider="postgresql', id="no blanks"),
        pytest.param('provider = "postgresql" \n', 'postgresql" ', id="a blank at the end"),
        pytest.param('provider = "postgresql"\r\r\n', 'postgresql"\r', id="two carriage returns"),
        pytest.param('provider = "postgresql"\r', 'postgresql"\r', id="a carriage return and no line's end"),
        pytest.param('provider = ""postgresql""\n', "postgresql", id="quotes twice"),
        pytest.param('provider = "postgresql\n', "postgresql", id="one quote"),
        pytest.param(f"provider = {PLAIN}\n", "postgresql", id="its key twice"),
        pytest.param(f'providers = "x"\n{PLAIN}\n', 'providers = "x', id="another key that begins so"),
        pytest.param(f"x\r{PLAIN}\n", None, id="behind a lone carriage return"),
        pytest.param('provider = "postgresql" # x\n', 'postgresql" # x', id="a comment behind it"),
        pytest.param(f" {PLAIN}\n", None, id="indented"),
        pytest.param(f"\ufeff{PLAIN}\n", None, id="byte order mark"),
        pytest.param(f"#{PLAIN}\n", None, id="commented out"),
        pytest.param("# nothing here\n", None, id="no such line"),
        pytest.param("", None, id="empty"),
    ],
)
def test_the_provider_is_that_of_the_first_line_that_begins_so(lock_file: str, named: str | None) -> None:
    assert provider(lock_file) == named


@given(st.text())
def test_any_lock_file_has_a_provider_or_none(text: str) -> None:
    named = provider(text)
    assert named is None or not named.startswith('"')
    assert provider(f"{PLAIN}\n{text}") == "postgresql"


@pytest.mark.parametrize(
    "ordered",
    [
        ["2_init", "20240101_x", "9_init"],
        ["_x", "-x", ".x", "1x", "ax", "bx"],
        ["a_x", "A_x", "b", "B"],
        ["ab", "aB", "Ab", "AB", "abc"],
        ["a b", "a_b", "a-b", "a,b", "a.b", "a$b", "a0b", "ab", "azb"],
        ["", "\t", " ", "_"],
        ["a", "á", "áb", "b"],
    ],
)
def test_a_directory_is_sorted_as_the_cli_does_it(ordered: list[str]) -> None:
    for start in (sorted(ordered), list(reversed(ordered))):
        assert sorted(start, key=directory_order) == ordered


@given(st.text(), st.text())
def test_any_two_names_have_an_order(one: str, other: str) -> None:
    assert (directory_order(one) < directory_order(other)) + (directory_order(other) < directory_order(one)) <= 1


COMPARE = """
const { lists, bytes } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const sorted = lists.map((list) => list.sort((a, b) => a.localeCompare(b)));
const sums = bytes.map((hex) => {
  const text = Buffer.from(hex, 'hex').toString('utf-8');
  return require('crypto').createHash('sha256').update(text).digest('hex');
});
process.stdout.write(JSON.stringify({ sorted, sums }));
"""


def ask_node(**question: Any) -> dict[str, Any]:
    """What Node, which the CLI runs on, makes of lists of names and of the bytes of files."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node on PATH, whose order of names is compared with")
    done = subprocess.run(
        [node, "-e", COMPARE],
        input=json.dumps({"lists": [], "bytes": [], **question}),
        env={**os.environ, "LC_ALL": "C"},  # a user's own language may sort otherwise
        capture_output=True,
        text=True,
        check=True,
        timeout=patience(30),
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_names_of_ascii_are_sorted_as_node_sorts_them() -> None:
    chance = random.Random(0)
    everything = "".join(map(chr, range(1, 128))).replace("/", "")
    alphabets = [everything, string.ascii_letters + string.digits + "_-. ", "aAbB_", "aA1_-.", string.punctuation]
    lists = [
        ["".join(chance.choices(alphabet.replace("/", ""), k=chance.randrange(1, 9))) for _ in range(300)]
        for alphabet in alphabets
        for _ in range(8)
    ]
    for ours, theirs in zip(lists, ask_node(lists=lists)["sorted"], strict=True):
        assert sorted(ours, key=directory_order) == theirs


def test_files_of_any_bytes_have_the_sum_that_node_makes() -> None:
    chance = random.Random(0)
    some = [
        bytes(chance.choices(b"a\n\r\x80\xbf\xc3\xa9\xe2\x82\xed\xa0\xef\xbb\xbf\xf0\x9f\xf4\x90\xff", k=12))
        for _ in range(500)
    ]
    sums = ask_node(bytes=[data.hex() for data in some])["sums"]
    assert [checksum(decode(data)) for data in some] == sums
