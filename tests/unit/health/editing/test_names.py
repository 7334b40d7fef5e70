"""A migration is named by its name, or by a beginning that no other has."""

from __future__ import annotations

import pytest

from health.editing.names import EditingError, resolve

DEV = ["20260101_init", "20260102_add", "20260102_add_more"]
PROD = DEV[:2]


@pytest.mark.parametrize(
    ("name", "full"),
    [("20260101", "20260101_init"), ("20260102_add_", "20260102_add_more"), ("20260102_add", "20260102_add")],
)
def test_unique_beginning_is_enough_and_a_whole_name_wins(name: str, full: str) -> None:
    assert resolve(name, {"/dev": DEV}) == full


@pytest.mark.parametrize(
    ("name", "directories", "said"),
    [
        ("2026", {"/dev": DEV}, "'2026' is the beginning of 3 migrations: 20260101_init, 20260102_add, 20260102_add_m"),
        ("20260102", {"/prod": PROD, "/dev": DEV}, "'20260102' is the beginning of 2 migrations"),
        ("20260102_add_", {"/prod": PROD, "/dev": DEV}, "/prod has no migration 20260102_add_more, and another"),
        ("20260101_inti", {"/prod": PROD, "/dev": DEV}, "have no migration '20260101_inti'; did you mean 20260101_in"),
        ("zebra", {"/dev": DEV}, "/dev has no migration 'zebra'; the last are 20260101_init, 20260102_add, 20260102_a"),
        ("x", {"/dev": []}, "/dev has no migration 'x'; it holds nothing."),
        ("", {"/dev": DEV}, "/dev has no migration ''"),
        ("\x1b[2J", {"/de\x1bv": DEV}, r"/de\x1bv has no migration '\x1b[2J'"),
    ],
)
def test_other_names_are_refused_with_what_there_is(name: str, directories: dict[str, list[str]], said: str) -> None:
    with pytest.raises(EditingError) as error:
        resolve(name, directories)
    assert said in str(error.value)


def test_long_list_of_names_is_cut() -> None:
    with pytest.raises(EditingError, match=r"2026_09 and 10 more\. Write more"):
        resolve("2026", {"/dev": [f"2026_{number:02}" for number in range(20)]})
