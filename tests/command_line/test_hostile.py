"""What an environment, a shell or a command line may do to a run, and what it must say then."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from fixtures.facts import Facts
from health.api.status import classify
from health.config import registry
from health.config.validation import RegistryError
from health.finding import CouldNotCheck
from health.sql.statements import adding_column, leaves_transaction_open
from tests.support import second_environment as second
from tests.support.gate_runs import run
from tests.support.second_environment import Told, World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with second.world(tmp_path_factory.mktemp("hostile")) as made:
        yield made


def quick(world: World, *arguments: str, **more: object) -> Told:
    return world.run("-knot script", *arguments, **more)  # type: ignore[arg-type]


def test_rows_hidden_by_a_policy_are_no_empty_history(world: World) -> None:
    with world.connect() as person:
        person.execute("ALTER TABLE _prisma_migrations ENABLE ROW LEVEL SECURITY")
        try:
            with world.row("20991231_failed", failed=True):
                told = quick(world)
        finally:
            person.execute("ALTER TABLE _prisma_migrations DISABLE ROW LEVEL SECURITY")
    assert told.status == 10
    assert "no-failed-migration" in told.outcomes()["unknown"]
    assert "row-level security" in told.flat


def test_functions_of_the_roles_own_search_path_are_not_called(world: World) -> None:
    with world.connect() as person:
        person.execute("CREATE SCHEMA evil")
        person.execute("CREATE FUNCTION evil.pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS 'SELECT true'")
        person.execute("GRANT USAGE ON SCHEMA evil TO acme_reader")
        person.execute("ALTER ROLE acme_reader SET search_path = evil, pg_catalog")
        try:
            told = quick(world)
        finally:
            person.execute("ALTER ROLE acme_reader RESET search_path")
    assert told.environment()["facts"]["server"].endswith("writer")


def test_settings_of_the_users_shell_lead_nowhere(world: World) -> None:
    variables = {
        "PGTZ": "Asia/Tokyo", "PGDATESTYLE": "German", "PGSERVICE": "nope", "PGSSLMODE": "verify-full",
        "PGHOSTADDR": "127.0.0.9", "PGOPTIONS": "-c default_transaction_read_only=off", "AWS_PROFILE": "not-there",
        "HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9",
    }  # fmt: skip
    told = quick(world, variables=variables, real=True)
    assert told.status == 0, told.flat
    assert not told.outcomes().get("unknown")


def test_known_hosts_of_a_real_home(world: World) -> None:
    known = world.app / "ops" / "many_known_hosts"
    good = (world.app / "ops" / "known_hosts").read_text()
    known.write_bytes(
        b"# a comment\n\n@cert-authority *.example ssh-rsa AAAA\nhost.example ssh-rsa not-base64!\n\xff\xfe\nx\n"
        + good.encode()
    )
    assert quick(world, registry=world.registry(known_hosts="ops/many_known_hosts")).status == 0
    _, kind, key = good.split()[:3]
    known.write_text(f"{good}@revoked * {kind} {key}\n")
    told = quick(world, registry=world.registry(known_hosts="ops/many_known_hosts"))
    assert "@revoked" in told.finding("host-key-changed")["message"]


@pytest.mark.parametrize("part", ["ssh_key", "known_hosts", "tunnel_script"])
def test_what_is_no_regular_file_is_not_read(world: World, part: str) -> None:
    fifo = world.app / "ops" / "fifo"
    if not fifo.exists():
        os.mkfifo(fifo)
    told = world.run(registry=world.registry(None, **{part: "ops/fifo"}))
    assert told.status == 10
    assert "is not a regular file" in told.flat
    assert told.environment()["verdict"] == "unknown"


def test_a_selection_that_leaves_an_environment_unjudged_does_not_pass(world: World) -> None:
    told = world.run("-k", "qa2", env="qa,qa2")
    assert [each["verdict"] for each in told.report["environments"]] == ["unknown", "healthy"]
    assert told.status == 10


def test_a_run_in_which_nothing_was_judged_does_not_pass(world: World) -> None:
    told = world.run("-k", "script_endpoint or script_bastion", registry=world.registry(tunnel_script="ops/absent.sh"))
    assert told.outcomes() == {"skipped": {"tunnel-script-endpoint", "tunnel-script-bastion"}}
    assert told.environment()["verdict"] == "unknown"
    assert told.status == told.report["exit_status"] == 5
    assert quick(world, "-k", "no_such_check", real=True).status == 5


def test_a_report_that_cannot_be_written_does_not_hide_the_result(world: World, tmp_path: Path) -> None:
    (tmp_path / "report.json").mkdir()
    told = quick(world, f"--report={tmp_path}")
    assert "report.json could not be written" in told.flat
    assert "PARTIAL" in told.flat
    assert told.status == 3
    assert not list(tmp_path.glob(".*"))


def test_a_frozen_database_ends_at_its_limit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_SECRET_KEY", world.canaries[2].text)
    file = world.registry(limits={"database_s": 1, "aws_read_s": 30})
    known = registry.parse(file.read_text(), file.name, file.parent)
    environment = registry.environment(known, "qa", os.environ, {"app": ("--app", world.app)})
    read = Facts(environment)
    try:
        assert read["server"].version
        with world.connect() as person:
            (pid,) = person.execute(
                "SELECT pid FROM pg_stat_activity WHERE application_name = 'migration-health'"
            ).fetchall()[0]
            os.kill(pid, signal.SIGSTOP)
            try:
                begun = time.monotonic()
                with pytest.raises(CouldNotCheck, match="did not finish its answer"):
                    read["catalog"]
                assert time.monotonic() - begun < 10
            finally:
                os.kill(pid, signal.SIGCONT)
    finally:
        read.close()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        pytest.param(["--env=local", "--migrations={none}"], "no directory {none}", id="migrations"),
        pytest.param(["--env=dev", "--tunnel-script={none}"], "no file {none}", id="script"),
        pytest.param(["--env=dev", "--app={none}"], "no directory {none}", id="app"),
        pytest.param(["--env=local", "--app=/"], "no effect on local", id="no effect"),
        pytest.param(["--env=dev", "--environments=/dev/zero"], "is no registry", id="no regular file"),
        pytest.param(["--env=dev", "--format=json"], "--format goes with", id="format alone"),
    ],
)
def test_words_that_are_wrong_end_a_run_before_it_begins(tmp_path: Path, words: list[str], told: str) -> None:
    none = tmp_path / "none"
    result = run(*(word.format(none=none) for word in words))
    assert result.status == 4
    assert told.format(none=none) in result.err
    assert "Traceback" not in result.text
    assert len(result.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://api.example", "clear text"),
        ("http://127.evil.example", "clear text"),
        ("https://ann:pw@api.example", "holds a login"),
        ("ftp://api.example", "is no URL"),
        ("https://", "is no URL"),
        ("https://[", "is no URL"),
    ],
)
def test_urls_that_would_give_the_key_away(url: str, told: str) -> None:
    text = f'[qa]\napi_url = "{url}"\n'
    with pytest.raises(RegistryError, match=told) as error:
        registry.parse(text, "x.toml", Path())
    assert "pw" not in str(error.value)


PENDING = {
    "30000101_program": ("COPY (SELECT 1) TO PROGRAM 'true';", "42501: permission denied to COPY to or from an"),
    "30000102_client": ("COPY (SELECT 1) TO STDOUT;", "COPY with STDIN or STDOUT asks for a client"),
    "30000103_20_mb": ("CREATE TABLE big AS SELECT '" + "begin ;" * 3_000_000 + "' AS a;", None),
    "30000104_terminal": (
        "DO $$ BEGIN RAISE EXCEPTION E'\\x1b[2J\\r\\n::error::it'; END $$;", r"P0001: \x1b[2J ::error::it",
    ),
    "30000105_ends": ("SELECT pg_terminate_backend(pg_backend_pid());", "57P01: terminating connection"),
}  # fmt: skip
STATE = "SELECT count(*), max(oid::bigint), (SELECT count(*) FROM acme._prisma_migrations) FROM pg_class"


def test_pending_migrations_that_mean_harm(world: World, tmp_path: Path) -> None:
    """The whole way: each is told in a line, the environment is as it was, and nothing is left on this machine."""
    migrations = tmp_path / "more"
    shutil.copytree(world.app / "db" / "migrations", migrations)
    for name, (script, _) in PENDING.items():
        (migrations / name).mkdir()
        (migrations / name / "migration.sql").write_text(script)
    with world.connect() as person, tempfile.TemporaryDirectory() as place:
        before = person.execute(STATE).fetchall()
        Path(place).chmod(0o711)  # the server may be another user's
        begun = time.monotonic()
        told = world.run("-kpending", f"--migrations={migrations}", variables={"TMPDIR": place}, real=True)
        assert time.monotonic() - begun < 60
        assert [path for path in Path("/proc").glob("[0-9]*/cmdline") if place.encode() in commands(path)] == []
        assert os.listdir(place) == []
        assert person.execute(STATE).fetchall() == before
    assert told.status == 1
    assert "Traceback" not in told.result.text
    findings = {each["subject"]: each for each in told.checks()["pending-will-apply"]["findings"]}
    for name, (_, said) in PENDING.items():
        if said is None:
            assert name not in findings
        else:
            assert said in findings[name]["message"]
            assert findings[name]["message"].isprintable()
    rows = told.checks()["pending-data-fits"]
    assert "what 30000105_ends asks of the rows is not known" in rows["reason"]
    assert rows["explained_by"] == "pending-migration-unforeseen:30000105_ends"  # under which a person reads it
    assert told.flat.count("because of it could not be checked: pending-data-fits") == 1


def commands(path: Path) -> bytes:
    """The command line of a process; nothing of one that has ended."""
    with suppress(OSError):
        return path.read_bytes()
    return b""


def test_work_on_foreign_text_grows_with_its_length() -> None:
    """What grows with the square takes minutes for these; and no limit can end it, as it holds the interpreter."""
    begun = time.process_time()
    classify(False, " \n" * 500_000)
    classify(False, "2" * 1_000_000)
    for sql in ('ALTER TABLE "Entity" x\n' * 20_000, "(" * 50_000, "INSERT INTO t VALUES (1);\n" * 20_000):
        adding_column(sql, "Entity", "data")
    leaves_transaction_open("INSERT INTO t VALUES ('begin');\n" * 100_000)
    assert time.process_time() - begun < 30
