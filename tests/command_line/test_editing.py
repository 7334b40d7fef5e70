"""``--editing`` on the command line."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest

from fixtures.clone.server import clone
from plugins.paths import ROOT
from tests.support import sandbox as harness
from tests.support.clone_servers import listening
from tests.support.edit_cases import CASES, NAME
from tests.support.gate_runs import Result, run
from tests.support.lineage import FRIGG, applied

MIGRATIONS = f"--migrations={ROOT / 'sandbox' / 'migrations'}"
SESSION = "20261003000000_add_authorization_session"


def edit(directory: Path, fault: str, migration: str) -> Result:
    """Ask about a migration in a broken sandbox."""
    with harness.sandbox(fault) as entry:
        return run(*harness.registry(directory, entry), f"--editing={migration}", f"--report={directory}")


def test_an_applied_migration_is_not_to_be_edited(tmp_path: Path) -> None:
    result = run("--env=local", f"--editing={SESSION}", f"--report={tmp_path}", real=True)
    assert result.status == 1
    assert re.search(rf"^{SESSION}: do not edit: applied in local since 20\d\d-\d\d-\d\d$", result.out, re.MULTILINE)
    assert "the next npm ci brings the package's own back" in result.out
    assert ".build-complete exists: delete it first" in result.out
    assert not list(tmp_path.iterdir())


def test_a_failed_one_may_be_where_it_left_nothing(tmp_path: Path) -> None:
    result = edit(tmp_path, "failed-migration", SESSION)
    assert result.status == 0, result.text
    assert f"{SESSION}: may be edited: applied nowhere; it needs no edit: it applies in local" in result.out
    assert "Nothing of it took effect." in result.out


def test_what_is_there_already_is_edited_so_that_it_applies(tmp_path: Path) -> None:
    result = edit(tmp_path, "pending-objects-exist", SESSION)
    assert result.status == 0, result.text
    assert f"{SESSION}: may be edited: applied nowhere; the edit below is proven in local" in result.out
    patch = (tmp_path / f"{SESSION}.patch").read_text()
    assert patch in result.out
    shutil.copytree(ROOT / "sandbox" / "migrations" / SESSION, tmp_path / SESSION)
    subprocess.run(["patch", "-p1", "-s"], cwd=tmp_path, input=patch.encode(), check=True, timeout=10)
    original, edited = FRIGG.by_name[SESSION].sql or "", (tmp_path / SESSION / "migration.sql").read_text()
    with clone("public") as server:
        with applied(server, FRIGG) as fresh:
            expected = fresh.objects
        for before in (original, ""):
            with applied(server, FRIGG, before=SESSION) as live:
                live.run(before, edited)
                assert live.objects == expected


def test_what_is_there_otherwise_is_not_hidden_by_an_edit(tmp_path: Path) -> None:
    name = "99990101000000_add_report"
    result = edit(tmp_path, "pending-relation-exists", name)
    assert result.status == 1, result.text
    assert f'{name}: no edit found: in local, line 1: column "Report"."body" is there, but differs' in result.out
    assert "42P07" in result.out
    assert not list(tmp_path.glob("*.patch"))


def test_the_directory_alone_is_asked_without_an_environment() -> None:
    result = run(f"--editing={SESSION}", MIGRATIONS)
    assert result.status == 0, result.text
    assert f"{SESSION}: sound in the directory; no environment was asked" in result.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((f"--editing={SESSION[:-2]}x", MIGRATIONS), f"did you mean {SESSION}"),
        ((f"--editing={SESSION[:-2]}x", "--env=local"), f"did you mean {SESSION}"),
        (("--editing=2026", MIGRATIONS), "'2026' is the beginning of 7 migrations: 20260422120000_add_entity_data"),
        (("--editing=\x1b[2J", MIGRATIONS), r"has no migration '\x1b[2J'"),
        ((f"--editing={SESSION}", "--migrations=/nowhere"), "there is no directory /nowhere"),
        ((f"--editing={SESSION}", MIGRATIONS, "-n2"), "--editing does not go with -n"),
        ((f"--editing={SESSION}", MIGRATIONS, "--co"), "--editing does not go with --collect-only"),
        ((f"--editing={SESSION}", "--env=local", "--migrate"), "--editing does not go with --migrate"),
    ],
)
def test_what_cannot_be_asked_is_refused(arguments: tuple[str, ...], said: str) -> None:
    result = run(*arguments)
    assert result.status == 4, result.text
    assert said in result.text
    assert "\x1b" not in result.text


def test_unique_beginning_of_a_name_is_enough() -> None:
    result = run("--editing=20261003", MIGRATIONS)
    assert result.status == 0, result.text
    assert f"{SESSION}: sound in the directory" in result.out


def test_wrong_name_is_answered_before_anything_is_read(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        (tmp_path / "environments.toml").write_text(
            f'[prod]\napp = "{ROOT}"\nmigrations = "sandbox/migrations"\nsecret = "s"\ncluster_prefix = "c"\n'
            f'ssh_key = "{tmp_path}/k"\naws_endpoint_url = "{address}"\naws_access_key_id = "a"\n'
            'aws_secret_access_key = "a-key-of-no-account"\n'
        )
        result = run("--env=prod", f"--environments={tmp_path / 'environments.toml'}", "--editing=20269")
        assert result.status == 4, result.text
        assert "has no migration '20269'" in result.text
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_directory_with_a_trap_gives_status_1(tmp_path: Path) -> None:
    (tmp_path / "20260101000000_a").mkdir()
    (tmp_path / "20260101000000_a" / "migration.sql").write_bytes(b"SELECT '\xe9';\r\n")
    result = run("--editing=20260101000000_a", f"--migrations={tmp_path}")
    assert result.status == 1
    assert "no edit found: the file is not UTF-8" in result.out
    assert "end with CRLF" in result.out


def test_plain_database_is_asked_without_aws(tmp_path: Path) -> None:
    case = CASES["half run, the rest over duplicates"]
    for migration in case.held.migrations:
        (tmp_path / "prisma" / "migrations" / migration.name).mkdir(parents=True)
        (tmp_path / "prisma" / "migrations" / migration.name / "migration.sql").write_text(migration.sql or "")
    (tmp_path / "prisma" / "schema.prisma").write_text('datasource db {\n  provider = "postgresql"\n}\n')
    (tmp_path / "package.json").write_text('{"devDependencies": {"prisma": "6.19.3"}}')
    file = tmp_path / "environments.toml"
    file.write_text('[staging]\ndatabase_url = "${STAGING_URL}"\napp = "."\nprisma = "6.19.3"\n')
    with clone("public", listening) as server, case.live(server) as live:
        login = live.login
        url = f"postgresql://{login.user}:{quote(login.password.reveal(), safe='')}@{login.host}:{login.port}/"
        options = ("--env=staging", f"--environments={file}", "--editing=2_", f"--report={tmp_path / 'report'}")
        result = run(*options, env={"STAGING_URL": f"{url}{login.database}"})
    assert result.status == 1, result.text
    said = "the edit below applies to the schema, but in staging 2 rows of T violate it (line 2, 23505)"
    assert f"{NAME}: {said}" in result.out
    assert "pending-data-violates, 2_edit: T.u: A deploy will fail on line 2 (P3018, 23505): 2 rows of T" in result.out
    assert "migrate deploy" in result.out
    assert not re.search("frigg|layer|AWS", result.out.partition("Then, in this order:")[2])
    assert login.password.reveal() not in result.text
    assert (tmp_path / "report" / f"{NAME}.patch").read_text().count("IF NOT EXISTS") == 1
