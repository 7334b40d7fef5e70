"""The file of a saved run: it comes back, and what is none is refused in a line."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from typing import Any

import pytest

from health.config.environment import Environment
from health.finding import CouldNotCheck, Fix, FixProof, NothingToCheck
from health.report.record import FactsOverview
from health.report.results import RehearsalOutcome
from health.saved import file
from health.saved.file import SavedFileError, from_bytes, to_bytes
from health.saved.run import (
    RehearsedFinding,
    RehearsedFix,
    RehearsedPlan,
    SavedFact,
    SavedRun,
    SavedTarget,
    as_of,
    digest,
    outcome_as_of,
    without_secrets,
)
from health.secrets.secret import Secret
from health.waivers.waivers import Waivers

FIX = Fix("sql", "Do it", "SELECT 1")
PROVEN = RehearsalOutcome("proven", None, 0.5, deploys=True)
TARGET = SavedTarget(
    "prod",
    Environment("prod", "prod"),
    "before",
    ("no-failed-migration",),
    {"a": SavedFact("value", [1, {"b": None}]), "b": SavedFact("nothing to check", told=("why",))},
    FactsOverview({"server": "PostgreSQL 17"}),
    (RehearsedFinding("code:subject", (digest(FIX),), (RehearsedFix(digest(FIX), FixProof("proven", "so")),), ()),),
    RehearsedPlan((digest(FIX),), PROVEN),
    {"own.sql": "SELECT 1"},
)
RUN = SavedRun("1.2.3", "2026-01-02T03:04:05+00:00", "error", Waivers(), (TARGET,))


def packed(told: Any) -> bytes:
    return gzip.compress(json.dumps(told).encode())


def changed(**changes: Any) -> bytes:
    return packed(json.loads(gzip.decompress(to_bytes(RUN))) | changes)


def test_a_run_comes_back() -> None:
    data = to_bytes(RUN)
    assert from_bytes(data) == RUN
    assert to_bytes(from_bytes(data)) == data
    assert from_bytes(data).day == "2026-01-02 03:04 UTC"


REFUSED = {
    "empty": (b"", "ends too early|not written by --save"),
    "no gzip": (b"hello, this is no gzip", "not written by --save"),
    "cut": (to_bytes(RUN)[:-20], "ends too early"),
    "a damaged checksum": (to_bytes(RUN)[:-6] + b"\0\0\0\0\0\0", "not written by --save"),
    "no JSON": (gzip.compress(b"{"), "no JSON"),
    "no UTF-8": (gzip.compress(b'{"a": "\xff"}'), "no JSON"),
    "a list": (packed([1]), "not written by --save"),
    "another tool's": (packed({"format": "other", "schema_version": 1}), "not written by --save"),
    "a version to come": (changed(schema_version=2), r"another version of the suite \(schema version 2; .* version 1"),
    "no version": (changed(schema_version=None), "schema version None"),
    "a version that is a list": (changed(schema_version=[1] * 99), "another version"),
    "no run": (changed(run=None), "damaged: None is no SavedRun"),
    "a class of another name": (changed(run={"": "os.system"}), "damaged: os.system is no SavedRun"),
    "an empty run": (changed(run={}), "damaged: SavedRun without tool_version"),
    "deep lists": (gzip.compress(b"[" * 3_000_000), "deep|larger"),
    "deep JSON that ends": (gzip.compress(b"[" * 900 + b"]" * 900), "too deep"),
    "deep objects": (gzip.compress(b'{"a":' * 500 + b"1" + b"}" * 500), "too deep"),
    "an endless number": (gzip.compress(b"9" * 5_000), "no JSON"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_such_file_is_refused_in_a_line(case: str) -> None:
    data, why = REFUSED[case]
    with pytest.raises(SavedFileError, match=why) as refused:
        from_bytes(data)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 200


def bomb(unit: bytes, times: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([*(packer.compress(unit) for _ in range(times)), packer.flush()])


@pytest.mark.parametrize("unit", [b" " * 1_000_000, b"[]," * 300_000])
def test_a_bomb_takes_no_more_memory_than_the_limit(unit: bytes) -> None:
    data = bomb(unit, 60)
    tracemalloc.start()
    try:
        with pytest.raises(SavedFileError, match="larger than 50 MB"):
            from_bytes(data)
        assert tracemalloc.get_traced_memory()[1] < 3 * file.LARGEST
    finally:
        tracemalloc.stop()


def test_what_could_not_be_read_back_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "LARGEST", 100)
    with pytest.raises(SavedFileError, match="larger than"):
        to_bytes(RUN)


@pytest.mark.parametrize(
    "error",
    [CouldNotCheck("what", "where", "remedy", "code:subject"), NothingToCheck("nothing is there")],
)
def test_an_exception_stands_in_its_place(error: Exception) -> None:
    back = SavedFact.of(error, int, lambda data: data).read(int)
    assert type(back) is type(error)
    assert vars(back) == vars(error)
    assert back.args == error.args


def test_a_value_of_another_type_is_kept_as_unanswered() -> None:
    for value in (object(), "a text"):
        back = SavedFact.of(value, int, lambda data: data).read(int)
        assert isinstance(back, CouldNotCheck)
        assert "could not be saved" in back.what


@pytest.mark.parametrize("outcome", ["nothing to check", "could not check"])
def test_reasons_of_a_wrong_number_are_refused(outcome: Any) -> None:
    with pytest.raises(ValueError, match="for 2 reasons"):
        SavedFact(outcome, told=("a", "b")).read(int)


def test_settings_are_kept_without_secrets() -> None:
    environment = Environment(
        "prod", "prod", database_url="postgresql://u:p@h/d", aws_access_key_id="AKIA", aws_secret_access_key=Secret("s")
    )
    target = SavedTarget("prod", without_secrets(environment), "before", (), {})
    written = gzip.decompress(to_bytes(SavedRun("1", "", "error", Waivers(), (target,))))
    assert not [each for each in (b"postgresql://", b"AKIA", b'"s"') if each in written]


def test_only_what_is_proven_is_of_a_day() -> None:
    assert as_of("today", FixProof("proven", "on a copy")).detail == "on a copy; as of today"
    assert as_of("today", FixProof("unproven", "no copy")).detail == "no copy"


def test_the_proof_of_a_plan_is_of_that_plan() -> None:
    plan = RehearsedPlan((digest(FIX),), PROVEN)
    same = outcome_as_of("today", plan, [digest(FIX)])
    assert same is not None
    assert (same.status, same.detail, same.deploys) == ("proven", "as of today", True)
    other = outcome_as_of("today", plan, [])
    assert other is not None
    assert (other.status, other.deploys) == ("unproven", True)
    assert outcome_as_of("today", None, []) is None
    assert outcome_as_of("today", RehearsedPlan((), None), []) is None
