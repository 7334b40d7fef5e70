"""A plain Prisma application with a PostgreSQL of its own, as somebody has it who has neither Frigg nor AWS."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg.sql import SQL, Identifier

from fixtures.clients.private_directory import private_directory
from fixtures.clone.servers.private_postgres import PrivatePostgres
from health.secrets.secret import Secret
from tests.support.clone_servers import ON_LOOPBACK
from tests.support.gate_runs import Result, run
from tests.support.history_table import TABLE

PASSWORD = "a: password/of @one? #app%"  # every character that a URL must encode
VARIABLE = "SHOP_URL"
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)

INIT, EMAIL = "20260101000000_init", "20260102000000_email"
MIGRATIONS = {
    INIT: 'CREATE TABLE "Customer" ("id" SERIAL NOT NULL, "name" TEXT NOT NULL, '
    'CONSTRAINT "Customer_pkey" PRIMARY KEY ("id"));\n',
    EMAIL: 'ALTER TABLE "Customer" ADD COLUMN "email" TEXT;\n',
}
PACKAGE = {"name": "shop", "private": True, "devDependencies": {"prisma": "6.19.3"}}
SCHEMA = """generator client {
  provider = "prisma-client-js"
}

datasource db {
  provider = "postgresql"
  url      = env("DATABASE_URL")
}

model Customer {
  id    Int     @id @default(autoincrement())
  name  String
  email String?
}
"""


@dataclass
class Server:
    """A PostgreSQL that the suite did not start, with one database for each application."""

    postgres: PrivatePostgres
    made: int = 0

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1", port=self.postgres.port, user="postgres", password=PASSWORD, dbname=database,
            autocommit=True,
        )  # fmt: skip

    def database(self) -> str:
        """Make an empty one."""
        self.made += 1
        name = f"shop_{self.made}"
        with self.connect() as session:
            session.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        return name

    def url(self, database: str, user: str = "postgres", **options: str) -> str:
        query = "".join(f"{'&' if number else '?'}{key}={value}" for number, (key, value) in enumerate(options.items()))
        return f"postgresql://{user}:{quote(PASSWORD, safe='')}@127.0.0.1:{self.postgres.port}/{database}{query}"


@dataclass
class Shop:
    """An application and its database.

    Attributes:
        root: the directory of package.json.
        schema: where the history and the models are.
    """

    server: Server
    root: Path
    schema: str = "public"
    database: str = ""
    migrations: dict[str, str] = field(default_factory=lambda: dict(MIGRATIONS))

    def __post_init__(self) -> None:
        """Write the files, and make the database."""
        self.database = self.server.database()
        self.write("package.json", json.dumps(PACKAGE))
        self.write("prisma/schema.prisma", SCHEMA)
        self.write("prisma/migrations/migration_lock.toml", 'provider = "postgresql"\n')
        for name, script in self.migrations.items():
            self.add(name, script)

    @property
    def url(self) -> str:
        return self.server.url(self.database, **({} if self.schema == "public" else {"schema": self.schema}))

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def add(self, name: str, script: str) -> None:
        """A migration's file."""
        self.migrations[name] = script
        self.write(f"prisma/migrations/{name}/migration.sql", script)

    def remove(self, name: str) -> None:
        """A migration's file, as if it had never been written."""
        shutil.rmtree(self.root / "prisma/migrations" / name)

    def session(self) -> psycopg.Connection:
        """A session in the application's schema."""
        session = self.server.connect(self.database)
        session.execute(SQL("CREATE SCHEMA IF NOT EXISTS {0}; SET search_path = {0}").format(Identifier(self.schema)))
        return session

    def sql(self, *statements: str) -> None:
        with self.session() as session:
            for statement in statements:
                session.execute(statement.encode())

    def history(self) -> None:
        """Make the table of it, without a row."""
        self.sql(TABLE.format(table="_prisma_migrations"))

    def apply(self, *names: str, failed: str = "") -> None:
        """Run migrations, with their rows as Prisma writes them.

        Args:
            names: all, where none is named.
            failed: one of which only the row is written, as of a script that stopped at its first statement.
        """
        self.history()
        for number, name in enumerate(names or tuple(self.migrations)):
            at = BEGAN + timedelta(minutes=number)
            if name != failed:
                self.sql(self.migrations[name])
            self.row(name, at, None if name == failed else at + timedelta(seconds=1))

    def row(self, name: str, started_at: datetime, finished_at: datetime | None, checksum: str = "") -> None:
        checksum = checksum or hashlib.sha256(self.migrations[name].encode()).hexdigest()
        logs = None if finished_at is not None else "ERROR: canceling statement due to lock timeout"
        with self.session() as session:
            session.execute(
                b"INSERT INTO _prisma_migrations VALUES (gen_random_uuid(), %s, %s, %s, %s, NULL, %s, %s)",
                [checksum, finished_at, name, logs, started_at, 0 if finished_at is None else 1],
            )

    def gate(
        self, *arguments: str, cwd: Path | None = None, url: str | None = None, env: Mapping[str, str] | None = None
    ) -> Result:
        """Judge the database from within the application, as its owner would."""
        variables = {VARIABLE: self.url if url is None else url, "NO_COLOR": "1", **(env or {})}
        return run(*suite(), f"--database-url={VARIABLE}", *arguments, cwd=cwd or self.root, env=variables)


def suite() -> tuple[str, ...]:
    """What leads a run from anywhere to the suite's own checks."""
    from plugins.paths import CHECKS, ROOT

    return ("-c", str(ROOT / "pytest.ini"), "--rootdir", str(ROOT), str(CHECKS))


@contextmanager
def serving(programs: Path | None = None) -> Iterator[Server]:
    """Start a PostgreSQL that is somebody else's; the newest that the suite brings, unless programs are given."""
    with (
        private_directory("plain") as place,
        PrivatePostgres(place, Secret(PASSWORD), programs=programs, settings=ON_LOOPBACK) as postgres,
    ):
        yield Server(postgres)


# What a plain application does not have: no text for its owner may lead there.
ELSEWHERE = re.compile(
    r"\b(API|frigg|AWS|RDS|Lambda|worker|cluster|layer|bastion|tunnel|secret|the guide|stage|serverless)\b",
    re.IGNORECASE,
)
NOT_JUDGED = (
    "not judged   AWS, tunnel, tunnel script, functions, API, logs, layer, Frigg's own tables (no such settings)"
)


def elsewhere(result: Result, directory: Path) -> list[str]:
    """The lines that speak of what a plain application does not have."""
    told = result.out.replace(NOT_JUDGED, "").replace(str(directory), "")
    # Files of checks are named after what they were written for.
    lines = [line for line in told.splitlines() if not re.match(r"\S*checks/test_|plugins: ", line)]
    return [line for line in lines if ELSEWHERE.search(line)]


def roots(report: Path) -> set[str]:
    """The codes of findings that no other explains."""
    checks = json.loads((report / "report.json").read_text())["environments"][0]["checks"]
    return {each["code"] for check in checks for each in check["findings"] if not each["explained_by"]}
