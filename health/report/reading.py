"""Reads a record back from the text of report.json, which anybody may have written."""

from __future__ import annotations

import json
from typing import NoReturn

from health.report.json_values import Json, from_json, json_kind
from health.report.record import SCHEMA_VERSION, EnvironmentResult, FactsOverview, Record
from health.sanitize import one_line

LARGEST = 64 * 2**20  # bytes: 2,000 environments with findings


class RecordError(Exception):
    """A text is no record that this program reads; the message says why, and what to do."""


def read_record(data: bytes) -> Record:
    """Read the record of a run.

    Args:
        data: the bytes of report.json.

    Raises:
        RecordError: it is none, it is too large, or another version of this program wrote it.
    """
    if len(data) > LARGEST:
        raise RecordError(f"it is larger than {LARGEST // 2**20} MiB. Write one record for fewer environments.")
    try:
        values: Json = json.loads(data, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:  # also what is not UTF-8, or a number of 5,000 digits
        raise RecordError(one_line(f"it is not JSON ({error}). Write it anew with --report DIR.")) from None
    if not isinstance(values, dict) or "schema_version" not in values:
        raise RecordError("it has no schema_version, so it is no record of this program. Name a report.json.")
    version = values["schema_version"]
    if version is True or version != SCHEMA_VERSION:
        raise RecordError(
            f"its schema version is {one_line(json_kind(version))}; this program reads {SCHEMA_VERSION}. "
            f"Use the program's version that wrote it{_writer(values)}."
        )
    try:
        return _record(values)
    except ValueError as error:
        raise RecordError(one_line(f"it has another shape: {error}. Write it anew with --report DIR.")) from None


def _record(values: dict[str, Json]) -> Record:
    listed = values.get("environments")
    if not isinstance(listed, list):
        raise ValueError("environments is no list")
    whole = from_json(Record, {**values, "environments": []})
    return Record(
        whole.tool_version,
        whole.started_at,
        whole.duration_s,
        whole.exit_status,
        tuple(_environment(each) for each in listed),
    )


def _environment(values: Json) -> EnvironmentResult:
    """Read an environment, which stands with its overview on one level."""
    if not isinstance(values, dict):
        raise ValueError(f"an environment cannot be {json_kind(values)}")
    overview = {name: values.get(name) for name in ("facts", "history", "entity", "proof")}
    migrated = "migration" in values
    return from_json(
        EnvironmentResult,
        {
            "migration": None,
            **values,
            "overview": {**overview, "tunnel": FactsOverview.tunnel},
            "migrated": migrated,
        },
    )


def _writer(values: dict[str, Json]) -> str:
    version = values.get("tool_version")
    return f", {one_line(version, 50)}" if isinstance(version, str) else ""


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")
