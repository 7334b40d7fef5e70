"""Random secrets in every encoding, between random texts: a decoder of its own must not find them any more."""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterator

import pytest

from health.secrets.secret import HIDDEN, Searcher
from tests.attack.secrets.decoder import finds
from tests.attack.secrets.encodings import ENCODINGS

ALPHABETS = {
    "letters": string.ascii_letters,
    "digits": string.digits,
    "hexadecimal": string.hexdigits.lower(),
    "base64": string.ascii_letters + string.digits + "+/=",
    "printable": string.ascii_letters + string.digits + string.punctuation,
    "punctuation": "\\'\"$!%&#;<>{}()/+ab",
    "beyond ASCII": string.ascii_letters + "äöüß€ñ漢😀",
    "hardly any": "01.",
    "blanks": string.ascii_letters + "  \t",
}
EXAMPLES = 6


def secrets(chance: random.Random, alphabet: str, number: int) -> Iterator[str]:
    while number:
        text = "".join(chance.choices(ALPHABETS[alphabet], k=chance.randint(8, 40)))
        if len("".join(text.split()).strip("\\'+")) >= 8 and text == text.strip():
            yield text
            number -= 1


def surroundings(chance: random.Random) -> tuple[str, str]:
    words = [
        "password=",
        "postgresql://u:",
        '{"a": "',
        "E   assert '",
        "<td>",
        "$(",
        "\n--- a/b\n+++ ",
        "é… ",
        "a",
        "]] ",
        "",
    ]
    before = "".join(chance.choices(words, k=chance.randint(0, 3)))
    after = "".join(chance.choices(["@host/db", '", "b": 1}', "'", "</td>", "\n", " ", "...", "", "zz"], k=2))
    return before, after


def shown(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("alphabet", ALPHABETS)
def test_no_encoding_of_a_secret_is_left(alphabet: str, request: pytest.FixtureRequest) -> None:
    chance = random.Random(f"{alphabet} 1")
    number = EXAMPLES * (25 if request.config.getoption("full") else 1)
    for secret in secrets(chance, alphabet, number):
        searcher = Searcher()
        searcher.add(secret)
        for name, encode in ENCODINGS.items():
            before, after = surroundings(chance)
            text = before + encode(secret) + after
            assert finds(secret, shown(text)), f"the decoder is blind to {name} of {secret!r}: {text!r}"
            told = searcher.hide(text)
            assert not (how := finds(secret, shown(told))), f"{how}: {name} of {secret!r} in {text!r}: {told!r}"
            assert HIDDEN in told


@pytest.mark.parametrize("alphabet", ["letters", "printable", "hexadecimal"])
def test_many_secrets_hide_nothing_of_other_texts(alphabet: str) -> None:
    chance = random.Random(f"{alphabet} 2")
    searcher = Searcher()
    for secret in secrets(chance, alphabet, 20):
        searcher.add(secret)
    for other in secrets(chance, alphabet, 20):
        for encode in ENCODINGS.values():
            assert searcher.hide(encode(other)) == encode(other)


MASKS: dict[str, Callable[[int], str]] = {
    "stars": lambda number: "*" * max(3, number),
    "dots": lambda _: "...",
    "ellipsis": lambda _: "…",
    "bullets": lambda number: "•" * max(2, number),
    "x": lambda number: "x" * max(3, number),
}


@pytest.mark.parametrize("mask", MASKS)
def test_what_a_mask_leaves_at_both_ends_is_hidden(mask: str) -> None:
    chance = random.Random(mask)
    for secret in secrets(chance, "hexadecimal", 20):
        searcher = Searcher()
        searcher.add(secret)
        for left in range(2, len(secret) - 3, 3):
            right = min(chance.randint(2, 6), len(secret) - left - 1)
            text = f"it is '{secret[:left]}{MASKS[mask](len(secret) - left - right)}{secret[-right:]}', or so"
            assert searcher.hide(text) == "it is '***', or so"


def test_the_longest_part_beside_a_mask_is_hidden() -> None:
    searcher = Searcher()
    searcher.add("correct-horse-battery")
    assert searcher.hide("correct-hor***") == "******"
    assert searcher.hide("***battery") == "******"
    assert searcher.hide("co***ry") == "***"
