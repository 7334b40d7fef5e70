"""The driver itself: both generations against the embedded PostgreSQL, and what the CLI counts as a migration."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from fixtures.clients.private_directory import private_directory
from fixtures.clone.servers.private_postgres import PrivatePostgres
from health.secrets.secret import Secret
from plugins.paths import ROOT
from tests.engine import prisma
from tests.engine.prisma import Cli6, Engine6, Engine7
from tests.support.clone_servers import ON_LOOPBACK

pytestmark = pytest.mark.skipif(prisma.unavailable() is not None, reason=str(prisma.unavailable()))

MIGRATIONS = ROOT / "sandbox/migrations"
PASSWORD, IN_URL = "p@ss:w/rd #1", "p%40ss%3Aw%2Frd%20%231"
DRIVERS = pytest.mark.parametrize("driver", [Cli6, Engine6, Engine7])

Driver = type[Cli6] | type[Engine6] | type[Engine7]
Databases = Callable[[], str]


@pytest.fixture(scope="module")
def databases() -> Iterator[Databases]:
    """Makes an empty database and gives its URL, each time it is called."""
    numbers = itertools.count()
    with (
        private_directory("engine") as directory,
        PrivatePostgres(directory, Secret(PASSWORD), settings=ON_LOOPBACK) as server,
    ):
        where = f"127.0.0.1:{server.port}"

        def make() -> str:
            name = f"engine_{next(numbers)}"
            with psycopg.connect(f"postgresql://postgres:{IN_URL}@{where}/postgres", autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}".encode())
            return f"postgresql://postgres:{IN_URL}@{where}/{name}"

        yield make


def write(directory: Path, provider: str = "postgresql", **scripts: str) -> Path:
    directory.mkdir(exist_ok=True)
    (directory / "migration_lock.toml").write_text(f'provider = "{provider}"\n')
    for name, sql in scripts.items():
        (directory / name).mkdir(exist_ok=True)
        (directory / name / "migration.sql").write_text(sql)
    return directory


def tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return {name for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


@DRIVERS
def test_all_migrations_of_the_sandbox_apply(databases: Databases, driver: Driver) -> None:
    prisma_ = driver(databases(), MIGRATIONS)
    assert prisma_.status().exit_code == 1
    deployed = prisma_.deploy()
    names = tuple(sorted(path.name for path in MIGRATIONS.iterdir() if path.is_dir()))
    assert (deployed.exit_code, deployed.code, deployed.applied) == (0, None, names)
    assert len(names) == 11
    assert prisma_.status().exit_code == 0
    healthy = {
        "editedMigrationNames": [],
        "failedMigrationNames": [],
        "hasMigrationsTable": True,
        "history": None,
    }
    assert prisma_.diagnose() == healthy
    again = prisma_.deploy()
    assert (again.exit_code, again.applied) == (0, ())


@DRIVERS
def test_a_failing_script_blocks_until_it_is_resolved(databases: Databases, driver: Driver, tmp_path: Path) -> None:
    url = databases()
    scripts = {"1_good": "CREATE TABLE a ()", "2_bad": "CREATE TABLE b (); SELECT '%s %d' FROM nowhere", "3_next": ""}
    prisma_ = driver(url, write(tmp_path, **scripts))
    failed = prisma_.deploy()
    assert (failed.exit_code, failed.code, failed.applied) == (1, "P3018", ("1_good",))
    assert "nowhere" in failed.text
    assert tables(url) == {"_prisma_migrations", "a"}  # a script is one query: nothing of it stays
    blocked = prisma_.deploy()
    assert (blocked.exit_code, blocked.code, blocked.applied) == (1, "P3009", ())
    assert prisma_.diagnose()["failedMigrationNames"] == ["2_bad"]
    assert prisma_.resolve("4_unknown", "rolled-back").code == "P3011"
    assert prisma_.resolve("4_unknown", "applied").code == "P3017"
    assert prisma_.resolve("2_bad", "rolled-back").exit_code == 0
    write(tmp_path, **{"2_bad": "CREATE TABLE b ()"})
    repaired = prisma_.deploy()
    assert (repaired.exit_code, repaired.applied) == (0, ("2_bad", "3_next"))


@DRIVERS
def test_a_failed_script_can_be_resolved_as_applied(databases: Databases, driver: Driver, tmp_path: Path) -> None:
    prisma_ = driver(databases(), write(tmp_path, **{"1_bad": "SELECT 1 / 0"}))
    assert prisma_.deploy().code == "P3018"
    assert prisma_.resolve("1_bad", "applied").exit_code == 0
    assert prisma_.status().exit_code == 0
    assert prisma_.resolve("1_bad", "applied").code == "P3008"


@pytest.mark.parametrize(
    ("engine", "edited", "diagnostic"), [(Engine6, ["1_a"], None), (Engine7, [], "databaseIsBehind")]
)
def test_generations_differ_on_a_rolled_back_migration(
    databases: Databases, engine: type[Engine6 | Engine7], edited: list[str], diagnostic: str | None, tmp_path: Path
) -> None:
    prisma_ = engine(databases(), write(tmp_path, **{"1_a": "broken"}))
    prisma_.deploy()
    prisma_.resolve("1_a", "rolled-back")
    write(tmp_path, **{"1_a": "SELECT 1"})
    told = prisma_.diagnose()
    assert told["editedMigrationNames"] == edited
    assert (told["history"] or {}).get("diagnostic") == diagnostic
    assert prisma_.status().exit_code == (diagnostic is not None)


@DRIVERS
def test_a_lock_file_of_another_database(databases: Databases, driver: Driver, tmp_path: Path) -> None:
    prisma_ = driver(databases(), write(tmp_path, provider="mysql"))
    assert prisma_.deploy().code == "P3019"
    assert prisma_.status().code == "P3019"
    assert prisma_.diagnose()["error"]["code"] == "P3019"


@DRIVERS
def test_the_history_is_that_of_the_schema_in_the_url(databases: Databases, driver: Driver, tmp_path: Path) -> None:
    url = databases()
    prisma_ = driver(f"{url}?schema=The%20App", write(tmp_path, **{"1_a": "CREATE TABLE a ()"}))
    assert prisma_.deploy().applied == ("1_a",)
    assert tables(url) == set()
    assert prisma_.status().exit_code == 0


@DRIVERS
def test_a_database_that_is_not_there(databases: Databases, driver: Driver) -> None:
    outcome = driver(f"{databases()}_missing", MIGRATIONS).status()
    assert outcome.exit_code == 1
    assert "does not exist" in outcome.text


def test_several_actions_share_a_session(databases: Databases, tmp_path: Path) -> None:
    engine = Engine7(
        databases(), write(tmp_path, **{"1_a": "SET application_name = 'kept'", "2_b": "broken", "3_c": ""})
    )
    failed, _, deployed = engine.act([{"do": "deploy"}, {"do": "applied", "name": "2_b"}, {"do": "deploy"}])
    assert failed["begun"] == ["1_a", "2_b"]
    assert prisma.outcome(deployed).applied == ("3_c",)


@DRIVERS
def test_what_counts_as_a_migration(databases: Databases, driver: Driver, tmp_path: Path) -> None:
    elsewhere = write(tmp_path / "elsewhere", linked="CREATE TABLE followed ()")
    migrations = write(tmp_path / "migrations", **{"10_b": "", "2_a": "", ".hidden": "", "B": "", "a": "", "_c": ""})
    (migrations / "linked").symlink_to(elsewhere / "linked")
    (migrations / "broken").symlink_to("nowhere")
    (migrations / "file.sql").write_text("SELECT 1")
    (migrations / "2_a/nested").mkdir()
    (migrations / "B/migration.sql").unlink()
    (migrations / "B/migration.sql").symlink_to(elsewhere / "linked/migration.sql")
    url = databases()
    prisma_ = driver(url, migrations)
    names = ["_c", ".hidden", "10_b", "2_a", "a", "B"]
    assert prisma_.diagnose()["history"]["unappliedMigrationNames"] == names
    assert prisma_.deploy().applied == tuple(names)
    assert "followed" in tables(url)  # a link to a file counts, a link to a directory does not


@DRIVERS
@pytest.mark.parametrize("kind", ["directory", "broken link", "nothing"])
def test_a_migration_without_a_readable_file(databases: Databases, driver: Driver, kind: str, tmp_path: Path) -> None:
    migrations = write(tmp_path, **{"1_a": "", "3_c": ""})
    file = migrations / "2_b/migration.sql"
    file.parent.mkdir()
    if kind == "directory":
        file.mkdir()
    elif kind == "broken link":
        file.symlink_to("nowhere")
    deployed = driver(databases(), migrations).deploy()
    assert (deployed.exit_code, deployed.code, deployed.applied) == (1, "P3015", ("1_a",))


@DRIVERS
def test_a_migrations_directory_that_is_not_there(databases: Databases, driver: Driver, tmp_path: Path) -> None:
    prisma_ = driver(databases(), tmp_path / "missing")
    assert prisma_.status().exit_code == 1  # no table
    assert prisma_.deploy().exit_code == 0
    assert prisma_.status().exit_code == 0


def test_other_machines_are_refused() -> None:
    with pytest.raises(ValueError, match="this machine"):
        Engine7("postgresql://user:password@db.example.com/app", MIGRATIONS)


def test_no_registry_is_named() -> None:
    package = json.loads((prisma.HERE / "package.json").read_text())
    assert package["private"] is True
    assert not {path.name for path in prisma.HERE.iterdir()} & {"package-lock.json", "npm-shrinkwrap.json", ".npmrc"}
    assert all("://" not in path.read_text() for path in prisma.HERE.glob("*.[jm]*"))
