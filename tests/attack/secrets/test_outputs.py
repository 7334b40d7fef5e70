"""Whatever is written of a run, in whichever encoding: no secret can be decoded from it."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from health.finding import Finding, Fix, FixProof
from health.report.record import EnvironmentResult, FactsOverview, Record
from health.report.results import CheckResult, FindingResult
from health.secrets.secret import HIDDEN, Searcher, Secret, hide
from plugins.output.markdown_summary import summary
from plugins.output.sql_files import sql_file
from plugins.redaction.values import hidden
from plugins.redaction.vocabulary import Vocabulary
from tests.attack.secrets.decoder import find
from tests.attack.secrets.encodings import ENCODINGS
from tests.attack.secrets.test_encodings import secrets
from tests.support.gate_runs import run

LEAKING = "tests/attack/secrets/leaking.py"


def texts() -> list[str]:
    chance = random.Random("outputs")
    return [next(secrets(chance, alphabet, 1)) for alphabet in ("beyond ASCII",)]


def outputs(directory: Path, *more: str) -> dict[str, bytes]:
    known = directory / "secrets.json"
    known.write_text(json.dumps(texts()))
    written = directory / "written"
    result = run(
        LEAKING, f"--junitxml={written}/junit.xml", f"--alluredir={written}/allure", f"--log-file={written}/run.log",
        "--showlocals", "-vv", "-rA", "-pno:hypothesispytest", *more, env={"LEAKING_SECRETS": str(known)},
    )  # fmt: skip
    assert result.status == 1, result.text
    found = {"stdout": result.out.encode(), "stderr": result.err.encode()}
    for file in written.rglob("*"):
        if file.is_file():
            name = "allure" if file.parent.name == "allure" else file.name
            found[name] = found.get(name, b"") + b"\n" + file.read_bytes()
    return found


def test_nothing_can_be_decoded_from_a_run(tmp_path: Path) -> None:
    written = outputs(tmp_path)
    assert written.keys() >= {"stdout", "junit.xml", "allure", "run.log"}
    assert {name: known for name, data in written.items() if (known := sorted(set(find(texts(), data))))} == {}


def test_without_redaction_it_can(tmp_path: Path) -> None:
    for name, data in outputs(tmp_path, "-p", "tests.command_line.unredacted").items():
        assert name == "stderr" or {secret for secret, _ in find(texts(), data)} == set(texts()), name


@pytest.fixture
def searcher(monkeypatch: pytest.MonkeyPatch) -> Searcher:
    known = Searcher(Vocabulary())
    monkeypatch.setattr("health.secrets.secret._KNOWN", known)
    return known


def record(text: str, *written: str) -> Record:
    proof = FixProof("unproven", text)
    fix = Fix(
        "sql",
        "Log in to the environment's account",
        f"SELECT $health${text}$health$;\n",
        undo=text,
        note=text,
        proof=proof,
    )
    found = [Finding("failed-migration", f"at {each}", each, {"it": (each,)}) for each in written]
    findings = tuple(FindingResult.of(each, "error", None, [fix], text) for each in found)
    check = CheckResult("no-failed-migration", "checks/x.py::x", "failed", "error", 0.5, text, findings, text, text)
    environment = EnvironmentResult("dev", "blocked", True, "before", (check,), (1, 1), FactsOverview({"it": text}))
    return Record("1", "2026-01-01T00:00:00Z", 1.0, 1, (environment,))


@pytest.mark.usefixtures("searcher")
def test_nothing_can_be_decoded_from_the_reports() -> None:
    for text in texts():
        Secret(text)
        cleaned = hidden(record(text, *(encode(text) for encode in ENCODINGS.values())))
        files = {
            "report.json": json.dumps(cleaned.to_json()),
            "summary.md": "\n".join(summary(cleaned)),
            "fixes.sql": "\n".join(sql_file(cleaned.environments[0])),
        }
        for name, content in files.items():
            assert HIDDEN in content
            assert list(find([text], content.encode())) == [], name


def words(value: Any) -> set[str]:
    """Every key and every text of a JSON value."""
    if isinstance(value, dict):
        return set(value).union(*map(words, value.values()))
    if isinstance(value, list):
        return set().union(*map(words, value))
    return {value} if isinstance(value, str) else set()


def test_the_reports_own_words_are_never_hidden(searcher: Searcher) -> None:
    plain = record("xyz", "xyz")
    own = {word for word in words(plain.to_json()) if not re.search("xyz|/|2026", word)}
    assert {"verdict", "blocked", "schema_version", "no-failed-migration", "unproven", "explained_by"} <= own
    for word in own | {"healthy", "unknown", "postgres", "testcase", "classname", "Root cause"}:
        searcher.add(word)
    assert hidden(plain) == plain
    assert json.dumps(hidden(plain).to_json()) == json.dumps(plain.to_json())
    for line in ("local: HEALTHY  before a deploy; healthy", '<testcase classname="checks.test_aws" name="x">'):
        assert hide(line) == line


def test_a_word_of_the_report_is_hidden_where_it_is_encoded(searcher: Searcher) -> None:
    searcher.add("healthy-verdict")
    searcher.add("verdict")
    assert hide(f"verdict: {b'verdict'.hex()}") == "verdict: ***"
    assert hide("healthy-verdict") == HIDDEN
