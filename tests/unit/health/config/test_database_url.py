"""What a connection URL means, as Prisma's engine reads it; no message holds a part of it."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from health.config.database_hosts import DatabaseUrlError
from health.config.database_url import DatabaseUrl, read_database_url
from health.config.pooler import IMPOSSIBLE, REMEDY, not_through_pooler
from health.secrets.secret import Secret, hide
from plugins.paths import ROOT

CASES = tomllib.loads((ROOT / "tests" / "data" / "database_urls.toml").read_text())
USUAL: dict[str, Any] = {
    "hosts": ["h:5432"], "user": "u", "password": "p", "database": "d", "schema": "public", "sslmode": "prefer",
    "strict": False, "server_certificate": "", "identity": "", "identity_password": "", "channel_binding": "prefer",
    "connect_timeout_s": None, "pooled": False, "ignored": [], "notes": [], "verified": False,
}  # fmt: skip


def shown(url: DatabaseUrl) -> dict[str, Any]:
    values = {each.name: getattr(url, each.name) for each in fields(url)}
    texts = {name: value.reveal() for name, value in values.items() if isinstance(value, Secret)}
    lists = {name: list(value) for name, value in values.items() if isinstance(value, tuple)}
    return {**values, **texts, **lists, "hosts": [str(host) for host in url.hosts], "verified": url.verified}


@pytest.mark.parametrize("case", CASES["url"], ids=lambda case: case["url"].strip())
def test_what_a_url_means(case: dict[str, Any]) -> None:
    expected = {**USUAL, **{name: value for name, value in case.items() if name not in ("url", "why")}}
    assert shown(read_database_url(case["url"])) == expected


@pytest.mark.parametrize("case", CASES["refused"], ids=lambda case: case["url"].strip())
def test_what_cannot_be_used_is_named_without_the_url(case: dict[str, str]) -> None:
    with pytest.raises(DatabaseUrlError) as refused:
        read_database_url(case["url"])
    message = str(refused.value)
    assert case["says"] in message
    assert "\n" not in message
    without_the_form = message.replace("USER:PASSWORD@HOST", "")
    assert not any(part in without_the_form for part in ("USER", "SEC", "RET", "WORD", "1234"))
    assert refused.value.__cause__ is None


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
def test_a_password_that_is_encoded_is_read_as_it_is(password: str) -> None:
    from urllib.parse import quote

    assert read_database_url(f"postgresql://u:{quote(password, safe='')}@h/d").password.reveal() == password


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read_database_url("postgresql://" + text)
    except DatabaseUrlError as refused:
        assert str(refused)  # noqa: PT017 - either is right


def test_credentials_are_hidden_in_each_spelling() -> None:
    url = read_database_url("postgresql://u:%73ecret%2Fword@h/d?sslpassword=of-the-file")
    assert hide("%73ecret%2Fword secret/word secret%2Fword of-the-file") == "*** *** *** ***"
    assert not any(word in repr(url) for word in ("ecret", "of-the-file"))


def test_the_place_holds_no_credentials() -> None:
    url = read_database_url("postgresql://someone:something@a:1,[::1]/d?schema=x")
    assert url.place == "a:1,[::1]:5432/d"


@pytest.mark.parametrize("question", IMPOSSIBLE)
def test_what_a_pooler_cannot_answer_asks_for_the_direct_url(question: str) -> None:
    error = not_through_pooler(question)
    assert (error.what, error.remedy) == (IMPOSSIBLE[question], REMEDY)
