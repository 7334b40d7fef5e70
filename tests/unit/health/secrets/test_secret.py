"""Secrets are found in whatever way they are spelt, whole or cut; what is no secret is left alone."""

from __future__ import annotations

import base64
import itertools
import json
import shlex
import sys
import threading
from collections.abc import Callable, Iterator
from html import escape
from types import FrameType
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from health.secrets.encodings import Places, folded
from health.secrets.lambda_variables import is_secret, variable
from health.secrets.secret import HIDDEN, LEAST, Searcher, Secret, hide
from sandbox.plan import HOSTILE
from tests.support.load import patience

SECRETS = {
    "hostile": f"{HOSTILE}<>+AbCdEfGhIjKlMnOp",
    "hostile at its end": f"AbCdEfGhIjKlMnOp{HOSTILE}",
    "beyond ASCII": "pässwörd€😀\tx\x1bend",
    "several lines": "first line\nsecond line",
    "looks quoted": "p%41&lt;secret",
}
SPELLINGS: dict[str, Callable[[str], str]] = {
    "doubled percent": lambda text: text.replace("%", "%%"),
    "raw": str,
    "URL": quote,
    "whole URL": lambda text: quote(text, safe=""),
    "form": quote_plus,
    "JavaScript's URL": lambda text: quote(text, safe="!'()*~"),
    "URL twice": lambda text: quote(quote(text, safe=""), safe=""),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON, not ASCII": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON twice": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    "JSON three times": lambda text: json.dumps(json.dumps(json.dumps(text)[1:-1])[1:-1])[1:-1],
    "Python": lambda text: repr(text)[1:-1],
    "Python, ASCII": lambda text: ascii(text)[1:-1],
    "HTML": escape,
    "XML": lambda text: quoteattr(text, {"\n": "&#10;"})[1:-1],
    "HTML twice": lambda text: escape(escape(text)),
    "JSON in HTML": lambda text: escape(json.dumps(text)[1:-1]),
    "Python in JSON": lambda text: json.dumps(repr(text)[1:-1])[1:-1],
    "SQL": lambda text: text.replace("'", "''"),
    "shell": lambda text: shlex.quote(text)[1:-1],
    "coloured": "\x1b[33m".join,
    "coloured in JSON": lambda text: json.dumps("\x1b[39;49;00m".join(text))[1:-1],
}
URL = "postgresql://postgres:{}@h.rds.amazonaws.com:5432/postgres"


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("secret", SECRETS)
def test_every_spelling(secret: str, spelling: str) -> None:
    text = SECRETS[secret]
    # Of quotation marks and backslashes at the ends some may be left, which tell nothing.
    told = Secret(text).hidden_in(f"the key {SPELLINGS[spelling](text)}, refused")
    assert told.startswith("the key ")
    assert told.endswith(", refused")
    assert told[8:-9].strip("\\'\x1b[0123456789;um") == HIDDEN


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_from_any_offset(secret: str, before: str, encode: Callable[[bytes], bytes]) -> None:
    encoded = encode(f"{before}{SECRETS[secret]}xyz".encode()).decode()
    told = Secret(SECRETS[secret]).hidden_in(f"Basic {encoded}")
    assert HIDDEN in told
    assert len(told) < len("Basic ***") + 15  # of the neighbours


@pytest.mark.parametrize("spelling", ["raw", "JSON", "Python", "whole URL"])
def test_ends_at_a_cut(spelling: str) -> None:
    text = "AbCdEf'gH\"iJ/kL-mNoPqRsTu"
    secret, spelt = Secret(text), SPELLINGS[spelling](text)
    for mark in ("...", "…"):
        for cut in range(1, len(spelt)):
            # Of the escape that is cut itself some characters are lost, too.
            if len(spelt) - cut >= LEAST + 5:
                assert secret.hidden_in(f"['x', {mark}{spelt[cut:]}', 1]") == f"['x', {mark}***', 1]"
            if cut >= len(spelt) / 2:
                assert secret.hidden_in(f"['x', '{spelt[:cut]}{mark} 1]") == f"['x', '***{mark} 1]"


def test_the_end_in_a_diff() -> None:
    """Pytest leaves out what two long texts begin with."""
    secret = Secret(URL.format("AbCdEfGhIjKlMnOp"))
    assert secret.hidden_in("E     - ijKlMnOp@x\nE     + GhIjKlMnOp@h.rds.amazonaws.com:5432/postgres") == (
        "E     - ijKlMnOp@x\nE     + ***"
    )
    assert secret.hidden_in("- postgres\n+ postgres") == "- postgres\n+ postgres"


@pytest.mark.parametrize(
    "text", ["", "short", "a b c ...", "%", "%4", "&#99999999;", "&#9999999;", "\\", "\\u12", "##[x]", "'" * 9, "\x1b["]
)
def test_other_texts_are_left_alone(text: str) -> None:
    Secret("an unrelated secret")
    assert hide(text) == text


def test_a_short_secret_is_hidden_only_where_it_is_held() -> None:
    assert hide(f"{Secret('prod')} in prod") == "*** in prod"


@given(st.text(), st.text(min_size=LEAST), st.text())
def test_a_place_in_a_folded_text_is_a_place_in_the_text(before: str, text: str, after: str) -> None:
    whole = f"{before}{text}{after}"
    places, found = Places(whole), folded(whole)
    spans = [places.of(at, at + 1) for at in range(len(found))]
    assert all(0 <= begin < end <= len(whole) for begin, end in spans)
    assert spans == sorted(spans)
    hidden = Secret(text).hidden_in(whole)
    assert text not in hidden or text in HIDDEN * 3 or text in f"{before}{HIDDEN}{after}"


SECRET_VARIABLES = [
    ("ADMIN_API_KEY", "correct horse", "***"),
    ("DATABASE_PASSWORD", "abcdef", "***"),
    ("SLACK_WEBHOOK", "https://hooks.example/services/T0AB/a1b2c3d4e5f6g7h8i9j0k1", "https://hooks.example***"),
    ("DATABASE_URL", URL.format("of 7 ch"), URL.format("***")),
    ("DATABASE_URL", URL.format("pw"), "postgresql://postgres***"),
    ("JDBC", "jdbc:postgresql://h/d?user=a&password=bcdefg", "jdbc:postgresql://h/d?user=a&password=***"),
    ("REDIS", "redis://:pw@cache.example/0", "redis://***"),
    ("SENTRY_DSN", "https://0a1b2c3d4e5f@sentry.example/42", "https://***@sentry.example/42"),
    ("CALLBACK_URL", "https://example.com/cb?state=abcdef", "https://example.com***"),
    ("BOTH_URLS", "redis://a:bcdefg@h,redis://a:hijklm@h", "***"),
    ("HMAC", "9f86d081884c7d659a2feaa0c55ad015", "***"),
]
HARMLESS_VARIABLES = [
    ("DB_TYPE", "postgresql"),
    ("STAGE", "prod"),
    ("API_KEY", "prod"),
    ("DATABASE_PORT", "5432"),
    ("DATABASE_USER", "postgres"),
    ("DATABASE_HOST", "quo-integrations-prod-cluster.cluster-abc.us-east-1.rds.amazonaws.com"),
    ("API_URL", "https://api.example.com/prod"),
    ("KMS_KEY_ARN", "arn:aws:kms:us-east-1:123456789012:key/1234abcd"),
    ("AUTH_TABLE", "integrations"),
    ("AUTH_ENABLED", "enabled"),
    ("NODE_OPTIONS", "--enable-source-maps"),
]


@pytest.mark.parametrize(("name", "value", "shown"), SECRET_VARIABLES)
def test_of_a_secret_variable_only_the_secret_is_hidden(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, shown: str
) -> None:
    monkeypatch.setattr("health.secrets.secret._KNOWN", Searcher())
    assert is_secret(name, value)
    assert variable(name, value).reveal() == value
    assert hide(f"it is {value}.") == f"it is {shown}."
    assert str(variable(name, value)) == HIDDEN  # itself it shows never


@pytest.mark.parametrize(("name", "value"), HARMLESS_VARIABLES)
def test_other_variables_are_left_in_other_texts(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setattr("health.secrets.secret._KNOWN", Searcher())
    assert not is_secret(name, value)
    assert hide(f"it is {variable(name, value).reveal()}.") == f"it is {value}."
    assert str(variable(name, value)) == HIDDEN


def test_a_known_url_hides_no_scheme_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the login behind it would no longer look like one."""
    monkeypatch.setattr("health.secrets.secret._KNOWN", Searcher())
    variable("DATABASE_URL", URL.format("AbCdEfGhIjKlMnOp"))
    assert hide("postgresql://postgres:...") == "postgresql://postgres:..."


def _passwords() -> Iterator[tuple[str, str]]:
    for password in (SECRETS["hostile"], "a/b?c#d@e[f]g", "p%41plus"):
        yield quote(password, safe=""), password
    yield "not/quoted?at#all@", "not/quoted?at#all@"


@pytest.mark.parametrize(("written", "password"), list(_passwords()))
def test_the_password_in_a_url_is_a_secret_by_itself(
    monkeypatch: pytest.MonkeyPatch, written: str, password: str
) -> None:
    monkeypatch.setattr("health.secrets.secret._KNOWN", Searcher())
    variable("DATABASE_URL", URL.format(written))
    assert hide(f"psql: {password}") == "psql: ***"
    assert hide(f"psql: {written}") == "psql: ***"


@pytest.mark.parametrize(("shown", "hidden"), [(24, True), (30, True), (12, False)])
def test_whoever_shows_the_most_of_a_secret_has_shown_it(shown: int, hidden: bool) -> None:
    text = "q'\"$!%/ \\{}&*(;" + "QyCmYdWxTnKbLrHv"
    Secret(text)
    told = hide(f"- {text[:shown]}different")
    assert (text[:shown] in told) is not hidden
    assert told.endswith("different")


def test_a_percent_sign_that_pytest_has_coloured() -> None:
    text = "Xq/ {};&(TwoThirdsOfIt"
    Secret(text)
    coloured = quote(text, safe="").replace("%", "\x1b[33m%\x1b[39;49;00m\x1b[33m")
    assert "Thirds" not in hide(f"E  url = {coloured}@host")


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("SESSION_STORE", "database", False),
        ("AUTH_ENV", "production", False),
        ("CLUSTER_ENDPOINT", "quo.cluster-c0ffee00.us-east-1.rds.amazonaws.com", False),
        ("VPC_SECURITY_GROUP_IDS", "sg-0a1b2c3d4e5f67890", False),
        ("ADMIN_API_KEY", "opensesame", True),
        ("DB_PASSWORD", "opensesame", True),
        ("SIGNING_SECRET", "opensesame", True),
    ],
)
def test_words_of_the_output_are_no_secrets_unless_they_are_passwords(name: str, value: str, secret: bool) -> None:
    assert is_secret(name, value) is secret


@pytest.mark.parametrize("at", range(12))
def test_a_search_within_a_search_ends_and_hides(at: int) -> None:
    """As the garbage collector makes one: what it ends may log, wherever a search stands."""
    searcher = Searcher()
    told: list[str] = []
    secrets = ["first-secret-value", "second-secret-value"]
    seen = itertools.count()

    def traced(frame: FrameType, event: str, _: object) -> None:
        inside = event == "call" and frame.f_code.co_name in {"add", "_take", "forms", "folded"}
        if inside and next(seen) == 3 * at:
            sys.setprofile(None)
            told.append(searcher.hide(" ".join(secrets)))

    def search() -> None:
        sys.setprofile(traced)
        try:
            told.append(searcher.hide(" ".join(secrets)))
        finally:
            sys.setprofile(None)

    for secret in secrets:
        searcher.add(secret)
    thread = threading.Thread(target=search, daemon=True)
    thread.start()
    thread.join(patience(20))
    assert told == ["*** ***"] * 2
    assert searcher.hide("pa first-secret-value") == "pa ***"
