"""Which variables of a function hold secrets: their names tell, as a port or a stage is no secret."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote, urlsplit

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
_SWITCHES = frozenset({"0", "1", "true", "false", "yes", "no", "on", "off"})  # as in BYPASS_CHECK=true
_ONE_URL = re.compile(r"[A-Za-z][\w+.:-]*://(?!.*://)", re.DOTALL)


def variable(name: str, value: str) -> Secret:
    """A variable's value, which is put out of all output if it is a secret; of a URL, what is secret in it.

    As a whole a URL begins as others do: to hide its beginning next to a cut would hide another one's scheme, too.
    """
    for part in url_secrets(value):
        Secret(part)
    return Secret(value, common=_ONE_URL.match(value) is not None or not is_secret(name, value))


def url_secrets(value: str) -> frozenset[str]:
    """What is secret in a URL: its password, as it is written and as it is meant, and tokens behind its host."""
    scheme, found, rest = value.partition("://")
    if not found:
        return frozenset()
    # As a person reads it: what stands before the last @, as a password may hold / ? # that are not quoted.
    login, _, place = rest.rpartition("@")
    password = login.partition(":")[2]
    # By itself a short one is in every text.
    secrets = {f":{each}@{place}" if len(each) < LEAST else each for each in (password, unquote(password)) if each}
    path, _, query = place.partition("?")
    if scheme in ("https", "http"):
        if not secrets and "/" not in login:
            secrets.add(login)  # a key in place of a user
        secrets |= set() if _leads_only(value) else {re.sub(r"^[^/?#]*", "", place)}
    else:
        secrets |= {word for word in path.split("/") if _TOKEN.fullmatch(word)}
        secrets |= {text for option, text in parse_qsl(query) if _SURE.search(option)}
    return frozenset(each for each in secrets if each)


def secrets_of(name: str, value: str) -> frozenset[str]:
    """What a person has to keep secret of a variable, however short it is."""
    password = value.partition("://")[2].rpartition("@")[0].partition(":")[2]
    if _ONE_URL.match(value):
        return frozenset({password} - {""}) | url_secrets(value)
    short = _SURE.search(name) and value.lower() not in _SWITCHES
    return frozenset({value}) if is_secret(name, value) or (value and short) else frozenset()


def is_secret(name: str, value: str) -> bool:
    """Whether a variable's value must not be read in any output, and is no word that output needs."""
    if len(value) < LEAST or value.startswith("arn:"):
        return False
    if url_secrets(value):
        return True
    if (_PUBLIC.fullmatch(value) or _WORDS.fullmatch(value)) and not _SURE.search(name):
        return False
    if value.startswith(("https://", "http://")):
        return False
    if _NAMES_ONE.search(name):
        return False
    return _SECRET.search(name) is not None or _TOKEN.fullmatch(value) is not None


def _leads_only(url: str) -> bool:
    """Whether a URL says no more than where something is."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return not (parts.query or parts.fragment or any(_TOKEN.fullmatch(word) for word in parts.path.split("/")))
