"""``--save`` and ``--replay``: the same findings, fixes, plan and exit status, and nobody is asked."""

from __future__ import annotations

import gzip
import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fixtures.facts import READERS
from health.saved.file import from_bytes
from health.saved.run import SavedFact
from plugins.paths import ROOT
from plugins.run.replay import type_of
from sandbox.case import read_case
from tests.support import sandbox as harness
from tests.support.effort import full
from tests.support.gate_runs import Result, run

FROZEN = ROOT / "tests" / "data" / "saved-run-1.json.gz"  # of --fault=half-applied, by the first version that saved
HEAVY = ("boto3", "botocore", "paramiko", "sshtunnel", "httpx", "moto", "asyncssh")
LOADED = """
import sys
import pytest

def pytest_unconfigure():
    print("loaded:", *sorted(name for name in sys.modules if "." not in name))
"""


@dataclass(frozen=True)
class Saved:
    """A run that was saved, of an environment that is no more.

    Attributes:
        secrets: of the environment.
        known: its facts.
    """

    file: Path
    record: Mapping[str, Any]
    result: Result
    secrets: tuple[str, ...]
    known: Mapping[str, Any]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    place = tmp_path_factory.mktemp("saved")
    file, report = place / "run.json.gz", place / "report"
    with harness.sandbox("half-applied") as entry:
        waivers = place / "waivers.toml"
        waivers.write_text(
            '[[waiver]]\nenvironment = "local"\ncode = "api-reports-failed"\nsubject = "none"\nreason = "a test"\n'
            'owner = "me"\nexpires = 2999-01-01\n'
        )
        words = [*harness.registry(place, entry), f"--waivers={waivers}", f"--save={file}", f"--report={report}"]
        result = run(*words, "--fail-on=warning")
        with harness.facts(harness.environment(entry)) as read:
            harness.judge_all(read)
            known = read.outcomes()
            login, key = read["secret_read"], read["admin_key"]
            secrets = login.password.reveal(), key.reveal(), entry["aws_secret_access_key"]
    assert result.status == 1, result.text
    return Saved(file, json.loads((report / "report.json").read_text()), result, secrets, known)


def replay(file: Path, place: Path, *words: str) -> tuple[Result, Any]:
    result = run(f"--replay={file}", f"--report={place / 'report'}", *words)
    record = place / "report" / "report.json"
    return result, json.loads(record.read_text()) if record.exists() else None


def comparable(record: Any) -> Any:
    """A record without what tells of the time of the run."""
    if isinstance(record, dict):
        left_out = {"seconds", "duration_s", "started_at", "replayed"}
        return {key: comparable(value) for key, value in record.items() if key not in left_out}
    if isinstance(record, list):
        return [comparable(each) for each in record]
    return re.sub(r"(; )?as of \d.* UTC$", "", record) or None if isinstance(record, str) else record


def words(text: str) -> list[str]:
    """What a terminal shows, however it is wrapped."""
    text = re.sub(r"^.*(?:waiting for|trying what is suggested).*$|\d+\.\d+ ?s", "", text, flags=re.MULTILINE)
    text = re.sub(r"\S*/report/", "", text.replace("=", ""))
    return re.sub(r"[;,] as\s+of\s+[\d-]+\s+[\d:]+\s+UTC", "", text).split()


def test_a_replay_says_what_the_run_said(saved: Saved, tmp_path: Path) -> None:
    result, record = replay(saved.file, tmp_path)
    assert result.status == saved.result.status == 1, result.text
    assert comparable(record) == comparable(saved.record)
    first = result.out.index("replayed from")
    assert re.match(r"replayed from \S*run\.json\.gz, saved 20..-..-.. ..:.. UTC, by version \d", result.out[first:])
    before, after = (text[text.index("\nlocal: BLOCKED") :] for text in (saved.result.out, result.out))
    assert words(before) == words(after)


def test_proofs_are_marked_as_of_then(saved: Saved, tmp_path: Path) -> None:
    _, record = replay(saved.file, tmp_path)
    (environment,) = record["environments"]
    proofs = [fix["proof"] for check in environment["checks"] for each in check["findings"] for fix in each["fixes"]]
    proven = [proof["detail"] for proof in proofs if proof["status"] == "proven"]
    assert proven
    assert all(re.search(r"; as of 20..-..-.. ..:.. UTC$", detail) for detail in proven)
    assert environment["rehearsal"]["status"] == "proven"
    assert environment["rehearsal"]["detail"].startswith("as of 20")


def test_no_secret_is_in_the_file_and_it_is_its_owners(saved: Saved) -> None:
    assert stat.S_IMODE(saved.file.stat().st_mode) == 0o600
    assert [each.name for each in saved.file.parent.iterdir() if each.name.startswith(".")] == []
    text = gzip.decompress(saved.file.read_bytes()).decode()
    assert [secret for secret in saved.secrets if secret in text] == []


def test_every_fact_of_an_environment_comes_back_equal(saved: Saved) -> None:
    assert saved.known.keys() >= {"history", "catalog", "drift", "forecast", "identity", "api_status", "tunnel_script"}
    for name, value in saved.known.items():
        back = SavedFact.of(value, type_of(name), lambda data: json.loads(json.dumps(data))).read(type_of(name))
        if isinstance(value, Exception):
            assert (type(back), str(back)) == (type(value), str(value)), name
        else:
            assert back == value, name


def test_a_replay_loads_no_client(saved: Saved, tmp_path: Path) -> None:
    (tmp_path / "loaded.py").write_text(LOADED)
    result = run(f"--replay={saved.file}", "-p", "loaded", "-q", env={"PYTHONPATH": f"{ROOT}:{tmp_path}"}, real=True)
    assert result.status == 1, result.text
    loaded = result.out[result.out.index("loaded:") :].split()
    assert not set(HEAVY) & set(loaded)


def test_workers_replay_too(saved: Saved, tmp_path: Path) -> None:
    result, record = replay(saved.file, tmp_path, "-n", "2")
    assert result.status == 1, result.text
    assert comparable(record) == comparable(saved.record)


def test_a_part_of_the_checks_is_replayed_where_it_is_selected(saved: Saved, tmp_path: Path) -> None:
    result, record = replay(saved.file, tmp_path, "-k", "failed_migration")
    assert result.status == 1, result.text
    (environment,) = record["environments"]
    assert [check["id"] for check in environment["checks"]] == ["no-failed-migration"]


def test_a_saved_part_is_replayed_as_that_part(saved: Saved, tmp_path: Path) -> None:
    told = json.loads(gzip.decompress(saved.file.read_bytes()))
    (target,) = told["run"]["targets"]
    target["checks"] = ["migration-files", "no-such-check-any-more"]
    file = tmp_path / "part.gz"
    file.write_bytes(gzip.compress(json.dumps(told).encode()))
    result, record = replay(file, tmp_path)
    assert result.status == 0, result.text
    (environment,) = record["environments"]
    assert [check["id"] for check in environment["checks"]] == ["migration-files"]
    assert environment["verdict"] == "partial"


def test_the_first_version_of_the_file_is_read_for_ever(tmp_path: Path) -> None:
    """Who changes a fact gives new fields a default, or a new schema version and a way from this one to it."""
    result, record = replay(FROZEN, tmp_path)
    assert result.status == 1, result.text
    (environment,) = record["environments"]
    found = {finding["code"] for check in environment["checks"] for finding in check["findings"]}
    assert found >= {"half-applied-migration", "api-reports-failed", "schema-object-extra", "pending-locks-table"}
    assert environment["verdict"] == "blocked"
    assert environment["rehearsal"]["status"] == "proven"
    assert not [check["id"] for check in environment["checks"] if check["outcome"] == "unknown"]


WITH_REPLAY = [
    "--env=local", "--database-url=X", "--app=.", "--migrations=.", "--tunnel-script=x", "--environments=x",
    "--phase=after", "--fail-on=error", "--fault=half-applied", "--case=.", "--postgres=18", "--migrate", "--confirm=x",
    "--waivers=x", "--clone=off", "--rows=1MB", "--editing=x", "--save=x",
]  # fmt: skip


@pytest.mark.parametrize("option", WITH_REPLAY)
def test_what_the_file_has_is_refused_beside_it(option: str) -> None:
    result = run(f"--replay={FROZEN}", option)
    name = option.partition("=")[0]
    assert result.status == 4
    assert f"ERROR: {name} does not go with --replay" in result.err
    assert len(result.err.strip().splitlines()) == 1


def damaged(tmp_path: Path, **facts: Any) -> Path:
    told = json.loads(gzip.decompress(FROZEN.read_bytes()))
    told["run"]["targets"][0]["facts"] |= facts
    file = tmp_path / "damaged.gz"
    file.write_bytes(gzip.compress(json.dumps(told).encode()))
    return file


FILES: dict[str, bytes | None] = {
    "missing": None,
    "text": b"a text",
    "empty": b"",
    "version": gzip.compress(b'{"format": "migration-health saved run", "schema_version": 99, "run": {}}'),
    "deep": gzip.compress(b"[" * 2_000_000),
}


@pytest.mark.parametrize("kind", [*FILES, "directory", "fifo", "fact", "class", "invariant"])
def test_what_is_no_such_file_ends_the_run_with_one_line(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    if kind == "directory":
        file.mkdir()
    elif kind == "fifo":
        os.mkfifo(file)
    elif kind == "fact":
        file = damaged(tmp_path, history={"": "SavedFact", "outcome": "value", "value": {"": "History"}, "told": []})
    elif kind == "class":
        value = {"": "subprocess.Popen", "args": "touch /tmp/owned"}
        file = damaged(tmp_path, history={"": "SavedFact", "outcome": "value", "value": value, "told": []})
    elif kind == "invariant":
        told = json.loads(gzip.decompress(FROZEN.read_bytes()))
        told["run"]["targets"][0]["invariants"] = {"../../escaped.sql": "SELECT 1"}
        file.write_bytes(gzip.compress(json.dumps(told).encode()))
    elif (data := FILES[kind]) is not None:
        file.write_bytes(data)
    result = run(f"--replay={file}")
    assert result.status == 4, result.text
    lines = [line for line in result.text.splitlines() if line.startswith("ERROR: ")]
    assert len(lines) == 1
    assert lines[0].startswith("ERROR: --replay: ")
    assert "Traceback" not in result.text


@pytest.mark.parametrize(
    ("option", "why"),
    [
        (["--migrate"], "--save does not go with --migrate"),
        (["--editing=x"], "--save does not go with --editing"),
        (["-n", "2"], "--save does not go with -n"),
    ],
)
def test_what_does_not_go_with_saving_is_refused(option: list[str], why: str, tmp_path: Path) -> None:
    result = run("--env=local", f"--save={tmp_path / 'file'}", *option)
    assert result.status == 4
    assert why in result.err
    assert list(tmp_path.iterdir()) == []


def test_a_run_whose_file_cannot_be_written_does_not_begin(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "none" / "file"):
        result = run("--env=local", f"--save={place}")
        assert result.status == 4
        assert "ERROR: --save: " in result.err


def test_every_fact_has_a_type_that_is_known() -> None:
    assert [name for name, reader in READERS.items() if not reader.live and type_of(name) is None] == []


def test_the_frozen_file_is_of_the_first_version() -> None:
    assert b'"schema_version":1' in gzip.decompress(FROZEN.read_bytes())
    assert from_bytes(FROZEN.read_bytes()).tool_version


def test_a_replay_makes_a_case_of_the_environment(tmp_path: Path) -> None:
    place = tmp_path / "case"
    result = run(f"--replay={FROZEN}", f"--save-case={place}", "-q")
    assert result.status == 1, result.text
    case = read_case(place)
    assert case.rows[-1].name == "20261003000000_add_authorization_session"
    assert not case.rows[-1].finished
    assert 'CREATE TABLE public."AuthorizationSession"' in case.scripts["before.sql"]
    assert {stat.S_IMODE(each.stat().st_mode) for each in place.rglob("*")} == {0o600, 0o700}


@pytest.mark.skipif(not full(), reason="two more sandboxes: --full")
def test_a_case_has_the_verdict_of_its_environment(saved: Saved, tmp_path: Path) -> None:
    place, report = tmp_path / "case", tmp_path / "report"
    assert run(f"--replay={saved.file}", f"--save-case={place}").status == 1
    result = run("--env=local", f"--case={place}", f"--report={report}", "--fail-on=warning")
    assert result.status == 1, result.text
    (then,), (now,) = (
        each["environments"] for each in (saved.record, json.loads((report / "report.json").read_text()))
    )
    assert (now["verdict"], roots(now)) == (then["verdict"], roots(then))
    assert now["rehearsal"]["status"] == then["rehearsal"]["status"] == "proven"


def roots(environment: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = [each for check in environment["checks"] for each in check["findings"] if each["severity"] != "info"]
    return sorted((each["code"], each["subject"]) for each in found if each["explained_by"] is None)


def test_a_directory_of_a_case_is_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path, tmp_path / "file", tmp_path / "none" / "case"):
        result = run(f"--replay={FROZEN}", f"--save-case={place}")
        assert result.status == 4
        assert "ERROR: --save-case: " in result.err


def test_an_environment_that_is_no_case_is_a_line_and_status_3(tmp_path: Path) -> None:
    nothing = {"": "SavedFact", "outcome": "could not check", "value": None, "told": ["no pg_dump", "x", "y", None]}
    file = damaged(tmp_path, schema_sql=nothing)
    result = run(f"--replay={file}", f"--save-case={tmp_path / 'case'}", "-q")
    assert result.status == 3, result.text
    assert "--save-case: it could not be written: CaseError: its schema is not what its applied" in result.err
    assert not (tmp_path / "case").exists()


OWN = """-- title: No own thing.
-- severity: error
-- reads: Entity
-- why: A test.
-- fix: None.
SELECT id FROM "Entity"
"""


def test_invariants_of_a_team_are_replayed_without_their_directory(tmp_path: Path) -> None:
    told = json.loads(gzip.decompress(FROZEN.read_bytes()))
    (target,) = told["run"]["targets"]
    rows = {"": "InvariantResult", "count": 2, "samples": ["1", "2"], "absent": "", "problem": "", "remedy": ""}
    target["facts"]["rows_of_own_thing"] = {"": "SavedFact", "outcome": "value", "value": rows, "told": []}
    target["checks"], target["invariants"] = ["own-thing"], {"own-thing.sql": OWN}
    target["environment"]["invariants"] = "/nowhere"
    file, temporary = tmp_path / "own.gz", tmp_path / "temporary"
    temporary.mkdir()
    file.write_bytes(gzip.compress(json.dumps(told).encode()))
    result = run(f"--replay={file}", f"--report={tmp_path / 'report'}", env={"TMPDIR": str(temporary)})
    assert result.status == 1, result.text
    (environment,) = json.loads((tmp_path / "report" / "report.json").read_text())["environments"]
    assert [(check["id"], check["outcome"]) for check in environment["checks"]] == [("own-thing", "failed")]
    assert list(temporary.iterdir()) == []
