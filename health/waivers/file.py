"""Reading ``waivers.toml``: each table ``[[waiver]]`` is in force, expired or malformed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from health.foreign_text import parse_toml
from health.sanitize import did_you_mean, one_line
from health.waivers.waivers import OWN_CODES, MalformedWaiver, Waiver, Waivers

KEYS: Mapping[str, type] = {
    "code": str, "environment": str, "subject": str, "reason": str, "owner": str, "expires": date,
}  # fmt: skip
_EMPTY = {
    "subject": "Copy it from the finding: a waiver is for one.",
    "reason": "Say why the finding is accepted.",
    "owner": "Name who answers for it.",
}


class WaiversError(Exception):
    """The file cannot be used; the text names file, line and remedy."""


def parse(text: str, file: str, environments: Collection[str], codes: Collection[str], today: date) -> Waivers:
    """The waivers in a TOML text, each a table ``[[waiver]]`` with the keys of ``KEYS``.

    Args:
        text: the file's text.
        file: how to name the file to a person.
        environments: the environments that the registry has.
        codes: the codes that findings have.
        today: the day, in UTC.

    Raises:
        WaiversError: it is not TOML, or holds something else than waivers.
    """
    tables = _tables(text, file)
    in_force: dict[tuple[str, str, str], Waiver] = {}
    expired, malformed = [], []
    for place, table in zip(_places(text, file, len(tables)), tables, strict=True):
        if problems := _problems(table, environments, codes):
            named = table.get("environment")
            environment = named if isinstance(named, str) and named in environments else None
            malformed.append(MalformedWaiver(place, environment, tuple(problems)))
            continue
        waiver = Waiver(place, **table)
        if waiver.expires < today:
            expired.append(waiver)
        elif first := in_force.get(waiver.accepts):
            problem = f"The same finding is waived at {first.place}. Keep one of the two."
            malformed.append(MalformedWaiver(place, waiver.environment, (problem,)))
        else:
            in_force[waiver.accepts] = waiver
    return Waivers(file, tuple(in_force.values()), tuple(expired), tuple(malformed))


def _tables(text: str, file: str) -> list[dict[str, Any]]:
    try:
        tables = parse_toml(text)
    except ValueError as error:
        raise WaiversError(f"{file}: not valid TOML: {one_line(str(error))}. Mend that line.") from None
    for name, value in tables.items():
        if name != "waiver" or not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            line = _lines(text, rf"\s*\[{{0,2}}\s*[\"']?{re.escape(name)}\b")
            where = f"{file}:{line[0]}" if line else file
            remedy = "Begin each waiver by a line [[waiver]] and write its keys under it."
            raise WaiversError(f"{where}: {one_line(name, 40)} is no list of waivers. {remedy}")
    found: list[dict[str, Any]] = tables.get("waiver", [])
    return found


def _places(text: str, file: str, number: int) -> list[str]:
    """Where each waiver begins; tomllib does not tell lines, so they are looked for, and counted to be sure."""
    lines = _lines(text, r"\s*\[\[\s*([\"']?)waiver\1\s*\]\]")
    return [f"{file}:{lines[n]}" if len(lines) == number else f"{file}, waiver {n + 1}" for n in range(number)]


def _lines(text: str, pattern: str) -> list[int]:
    return [number for number, line in enumerate(text.split("\n"), 1) if re.match(pattern, line)]


def _problems(table: Mapping[str, Any], environments: Collection[str], codes: Collection[str]) -> list[str]:
    """What is wrong with a waiver, each with its remedy."""
    problems = []
    for key in table:
        if key not in KEYS:
            hint = did_you_mean(key, KEYS, f"known: {', '.join(KEYS)}.")
            problems.append(f"Unknown key {one_line(key, 40)!r}; {hint}")
    if missing := [key for key in KEYS if key not in table]:
        problems.append(f"Keys missing: {', '.join(missing)}. Add them.")
    # A date with a time is one of Python's dates too.
    wrong = [key for key, value in table.items() if key in KEYS and type(value) is not KEYS[key]]
    for key in wrong:
        remedy = "date. Write 2026-12-31, without quotes and time" if KEYS[key] is date else "text. Write it in quotes"
        problems.append(f"{key} is not a {remedy}.")
    problems += [
        f"{key} is empty. {remedy}"
        for key, remedy in _EMPTY.items()
        if key in table and key not in wrong and not table[key].strip()
    ]
    if isinstance(code := table.get("code"), str):
        if code in OWN_CODES:
            problems.append(f"{code} is about a waiver: mend that one instead of waiving it.")
        elif code not in codes:
            hint = did_you_mean(code, codes, "copy it from the finding.")
            problems.append(f"No finding has the code {one_line(code, 60)!r}; {hint}")
    if isinstance(name := table.get("environment"), str) and name not in environments:
        hint = did_you_mean(name, environments, f"there are {', '.join(environments)}.", cutoff=0.4)
        problems.append(f"There is no environment {one_line(name, 60)!r}; {hint}")
    return problems
