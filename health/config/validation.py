"""Validating what stands in a table of ``environments.toml``: keys, types and the shape of values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from health.config.environment import LOG_MINUTES, Environment, Limits
from health.config.urls import is_loopback

Settings = Mapping[str, Any]

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_LIMITS = {each.name for each in fields(Limits)}
_LONGEST_S = 86_400  # a limit that is longer is none
_OTHERS = {
    **dict.fromkeys(("embedded", "confirm", "frigg"), bool),
    **dict.fromkeys(("functions", "limits", "accepted_checksums", "variables", "log_minutes", "baselines"), dict),
    **dict.fromkeys(("script_stages", "known_differences"), list),
    "ssh_port": int,
}
_KEYS = {each.name for each in fields(Environment)} - {
    "name",
    "notes",
    "parts",
    "prisma_cli",
    "sources",
    "stages",
    "url_login",
}
_MOST_LOG_MINUTES = 24 * 60
_PORTS = range(1, 65536)


class RegistryError(Exception):
    """The registry cannot be used; the text names file, key, value and remedy."""


def validate(table: Settings, where: str) -> None:
    """Raise RegistryError for a setting that is unknown, or whose value cannot be one."""
    _validate_types(table, where)
    _validate_lists(table, where)
    for purpose, function in table.get("functions", {}).items():
        if not isinstance(function, str):
            raise RegistryError(f"{where}: functions.{purpose} = {function!r} is not a text. Write a function's name.")
    for key, value in table.get("limits", {}).items():
        if key not in _LIMITS:
            raise RegistryError(f"{where}: unknown key limits.{key}. Known: {', '.join(sorted(_LIMITS))}.")
        if type(value) not in (int, float) or not 0 < value <= _LONGEST_S:
            problem = f"{where}: limits.{key} = {shown(key, value)} is not a number above 0 and up to {_LONGEST_S:,}"
            raise RegistryError(f"{problem}. Write seconds.")
    _validate_log_minutes(table.get("log_minutes", {}), where)
    for invariant, rows in table.get("baselines", {}).items():
        if type(rows) is not int or rows < 0:
            raise RegistryError(f"{where}: baselines.{invariant} = {rows!r} is no number of rows. Write 0 or more.")
    port = table.get("ssh_port", 1)
    if port not in _PORTS:
        raise RegistryError(f"{where}: ssh_port = {port!r} is no port. Use 1 to 65535.")
    if "$" not in table.get("api_url", ""):
        validate_url(table.get("api_url", ""), where)


def _validate_lists(table: Settings, where: str) -> None:
    for key, things in (("accepted_checksums", "checksums"), ("variables", "names")):
        for name, texts in table.get(key, {}).items():
            if not (isinstance(texts, list) and all(isinstance(each, str) for each in texts)):
                raise RegistryError(f"{where}: {key}.{name} = {texts!r} is not a list of texts. Write {things} in [ ].")
    if not all(isinstance(each, str) for each in table.get("known_differences", ())):
        shown = table["known_differences"]
        raise RegistryError(f"{where}: known_differences = {shown!r} is not a list of texts. Write objects in [ ].")
    for stage in table.get("script_stages", ()):
        if not (isinstance(stage, str) and NAME.fullmatch(stage)):
            raise RegistryError(f'{where}: script_stages holds {stage!r}, no stage. Write names such as "local-dev".')


def _validate_log_minutes(table: Settings, where: str) -> None:
    for key, value in table.items():
        if key not in LOG_MINUTES:
            raise RegistryError(f"{where}: unknown key log_minutes.{key}. Known: {', '.join(LOG_MINUTES)}.")
        if type(value) not in (int, float) or not 0 < value <= _MOST_LOG_MINUTES:
            raise RegistryError(
                f"{where}: log_minutes.{key} = {value!r} is not a number from above 0 to {_MOST_LOG_MINUTES}. "
                "Write minutes."
            )


def validate_url(url: str, where: str) -> None:
    """Raise RegistryError unless a text is a URL that an API's key may be sent to."""
    if not url:
        return
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise RegistryError(f"{where}: api_url is no URL. Write https:// and a host.") from None
    if parts.username is not None or parts.password is not None:
        raise RegistryError(f"{where}: api_url holds a login. Leave it out: the API takes its key in a header.")
    if parts.scheme not in ("https", "http") or not host:
        raise RegistryError(f"{where}: api_url = {url!r} is no URL. Begin it with https://.")
    if parts.scheme == "http" and not is_loopback(url):
        raise RegistryError(f"{where}: api_url = {url!r} would send the API's key in clear text. Use https://.")


def _validate_types(table: Settings, where: str) -> None:
    for key, value in table.items():
        if key not in _KEYS:
            near = get_close_matches(key, _KEYS)
            hint = f"Did you mean {near[0]}?" if near else f"Known keys: {', '.join(sorted(_KEYS))}."
            raise RegistryError(f"{where}: unknown key {key}. {hint}")
        expected = _OTHERS.get(key, str)
        if type(value) is not expected:
            raise RegistryError(f"{where}: {key} = {shown(key, value)} is not a {_WORDS[expected]}. Write it as one.")


def shown(key: str, value: Any) -> str:
    """Show a value as Python writes it; what may hold a password is hidden."""
    return "***" if re.search("secret_access_key|passw|token|^clone$|^database_url$", key) else repr(value)


_WORDS = {str: "text in quotes", bool: "true or false", int: "whole number", dict: "table", list: "list in [ ]"}
