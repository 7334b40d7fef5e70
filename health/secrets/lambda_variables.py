"""Which variables of a function hold secrets: their names tell, as a port or a stage is no secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from health.secrets.secret import LEAST, Secret

_SECRET = re.compile(
    r"KEY|SECRET|PASS|PWD|TOKEN|CREDENTIAL|AUTH|PRIVATE|SALT|SIGN|CERT|COOKIE|SESSION|HOOK|DSN|UR[LI]|CONNECTION",
    re.IGNORECASE,
)
_NAMES_ONE = re.compile(r"_(ARN|ID|NAME|REGION|HOST|PORT|USER|TABLE|BUCKET|TTL|ENABLED)$", re.IGNORECASE)
# AWS's ids and hosts, and words that the output itself is made of, such as SESSION_STORE=database.
_PUBLIC = re.compile(r"[a-z]{2,8}-[0-9a-f]{8,17}(?:,[a-z]{2,8}-[0-9a-f]{8,17})*|[\w.-]+\.amazonaws\.com(?::\d+)?")
_WORDS = re.compile(r"(?=.{1,15}\Z)[A-Za-z]+(?:[-_ ][A-Za-z]+)*")
_SURE = re.compile(r"PASS|PWD|SECRET|PRIVATE|SALT|(?:KEY|TOKEN)$", re.IGNORECASE)
_TOKEN = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[\w+/=.~-]{20,}")  # what only a machine thinks of


def variable(name: str, value: str) -> Secret:
    """A variable's value, which is put out of all output if it is a secret, with the password of a URL."""
    for login in _login(value):
        Secret(login)
    return Secret(value, common=not is_secret(name, value))


def is_secret(name: str, value: str) -> bool:
    """Whether a variable's value must not be read in any output, and is no word that output needs."""
    if len(value) < LEAST or value.startswith("arn:"):
        return False
    if any(_login(value)):
        return True
    if _PUBLIC.fullmatch(value) or (_WORDS.fullmatch(value) and not _SURE.search(name)):
        return False
    if value.startswith(("https://", "http://")) and _leads_only(value):
        return False
    if _NAMES_ONE.search(name):
        return False
    return _SECRET.search(name) is not None or _TOKEN.fullmatch(value) is not None


def _login(value: str) -> Iterator[str]:
    """The password in a URL, as it is written there and as it is meant."""
    _, found, rest = value.partition("://")
    if not found:
        return
    # As a person reads it: what stands before the last @, as a password may hold / ? # that are not quoted.
    login, found, _ = rest.rpartition("@")
    password = login.partition(":")[2]
    if found and password:
        yield from {password, unquote(password)}


def _leads_only(url: str) -> bool:
    """Whether a URL says no more than where something is."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return not (parts.query or parts.fragment or any(_TOKEN.fullmatch(word) for word in parts.path.split("/")))
