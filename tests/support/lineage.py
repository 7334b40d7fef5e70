"""Databases on a clone in which a history is made by hand, read by the suite's own readers, and mended."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from fixtures.clone.server import CloneDatabase, CloneServer
from fixtures.database.login import DatabaseLogin
from fixtures.database.sessions import writer_only
from fixtures.facts import Facts
from fixtures.migrations.directory import read_migrations
from health.api.routes import Routes
from health.catalog.catalog import Key
from health.config import registry
from health.config.environment import Environment
from health.finding import Finding, Fix
from health.history.provenance import Provenance
from health.migrations.directory import Migration, MigrationDirectory
from health.prisma.engine import checksum
from health.prisma.version import PrismaVersion
from health.secrets.secret import Secret
from plugins import fixes
from plugins.paths import ROOT
from plugins.run import fact_fixtures as reading  # noqa: F401 - importing it registers the facts
from plugins.run.check_catalog import all_checks
from sandbox.database.history import _TABLE as TABLE
from tests.support.faults import BINARIES
from tests.support.load import patience

FRIGG = read_migrations(ROOT / "sandbox" / "migrations", "test")
JUDGED = {
    "history",
    "replay",
    "migration_effects",
    "catalog",
    "forecast",
    "replay_required",
    "applied_effects",
    "as_migrated",
    "squash",
    "baseline",
    "provenance",
    "environment",
    "migrations",
}
FORETOLD = "pending-will-apply"  # what a deploy fails at is told beside what is found
LOGS = "ERROR: it failed"
_NUMBERS = count()


def directory(migrations: Mapping[str, str | None]) -> MigrationDirectory:
    """A directory with these scripts."""
    made = (Migration(name, sql, None if sql is None else checksum(sql)) for name, sql in migrations.items())
    return MigrationDirectory("m", "test", tuple(made))


def environment(**changes: Any) -> Environment:
    known = registry.parse("[local]\nembedded = true\n", "test.toml", Path())
    entry = {
        "stage": "local", "embedded": True, "api_url": "http://127.0.0.1:9", "region": "us-east-1", "account": "1",
        "functions": {"auth": "a", "worker": "w"}, "secret": "s", "cluster_prefix": "c", "ssh_key": "k",
        "app": "/app", "tunnel_script": "/app/tunnel.sh", "migrations": "/app/prisma/migrations",
        "limits": {"rehearsal_s": 600}, **changes,  # what is tested is not how fast a busy machine is
    }  # fmt: skip
    return registry.environment(known, "local", os.environ, {}, entry)


@dataclass
class Live:
    """A database with a history table, and the directory that it is held against."""

    server: CloneServer
    copy: CloneDatabase
    directory: MigrationDirectory
    readings: list[Facts] = field(default_factory=list)
    prisma: str = "6.19.3"

    def run(self, *scripts: str) -> None:
        """As somebody did; each must succeed."""
        for script in scripts:
            said = self.copy.run(script)
            assert said is None, said

    def record(self, name: str, state: str = "applied", logs: str | None = None, days: int = 30) -> None:
        """Put a row in as the engine does."""
        known = self.directory.by_name.get(name)
        digest = (known.checksum if known else None) or checksum(name)
        started = f"now() - interval '{days} days' + {next(_NUMBERS)} * interval '1 ms'"
        ended = f"{started} + interval '1 s'"
        self.run(
            "INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, logs, rolled_back_at,"
            f" started_at) VALUES ('{uuid.uuid4()}', '{digest}', {ended if state == 'applied' else 'NULL'}, '{name}',"
            f" {'NULL' if logs is None else f'$${logs}$$'}, {ended if state == 'rolled back' else 'NULL'},"
            f" {started})"
        )

    def deploy(self) -> str | None:
        """What the engine's deploy does, while nothing stops it; gives the name of the migration that failed."""
        judged = self.read()["history"]
        assert judged.deployment.error is None, judged.deployment
        for name in judged.deployment.applies:
            said = self.copy.run(self.directory.by_name[name].sql or "")
            self.record(name, "applied" if said is None else "failed", str(said) if said else None, days=0)
            if said is not None:
                return str(name)
        return None

    def read(self, **settings: Any) -> Facts:
        """The facts of today, of an environment with these settings."""
        self.facts = Facts(
            environment(**settings),
            {
                "clone_server": self.server,
                "database": self.copy.session,
                "dump_login": self.login,
                **writer_only(),
                "migrations": self.directory,
                "prisma": PrismaVersion(self.prisma, "test"),
                "provenance": Provenance(),
                "api_routes": Routes(),
            },
        )
        self.readings.append(self.facts)
        return self.facts

    def close(self) -> None:
        """Free what its readings have made: the server may end before they are forgotten."""
        for each in self.readings:
            each.close()

    @property
    def login(self) -> DatabaseLogin:
        """As its owner."""
        info = self.copy._scripts.info
        return DatabaseLogin(info.host, info.port, info.user, Secret(info.password), info.dbname)

    def findings(self) -> list[Finding]:
        """What the checks of history and directory find."""
        read = self.read()
        judged = [each for each in all_checks().values() if set(each.needs) <= JUDGED and each.id != FORETOLD]
        if self.directory is not FRIGG:
            judged = [check for check in judged if check.id != "entity-data-column"]
        return [finding for check in judged for finding in check.judge(read)]

    def codes(self) -> dict[str, str]:
        """The findings that are no mere forecast of a deploy: code by subject, without the number in front."""
        return {
            finding.subject.partition("_")[2]: finding.code
            for finding in self.findings()
            if finding.code not in {"pending-migration", "no-lock-file", "entity-data-column-pending"}
        }

    def suggested(self, code: str) -> tuple[list[Fix], str | None]:
        """For the only finding of a code."""
        (finding,) = (finding for finding in self.findings() if finding.code == code)
        return self.suggest(finding)

    def suggest(self, finding: Finding) -> tuple[list[Fix], str | None]:
        """What is suggested for a finding of the last reading."""
        return fixes.suggest(finding, self.facts)

    def mend(self) -> None:
        """Apply what is preferred for each finding, as printed and in the printed order."""
        printed: dict[str, int] = {}
        for finding in self.findings():
            for fix in fixes.suggest(finding, self.facts)[0]:
                if fix.kind == "sql" and not fix.fallback:
                    printed.setdefault(fix.body, fix.rank)
        assert printed
        for body in sorted(printed, key=lambda body: printed[body]):
            assert self.psql(body) is None

    def psql(self, sql: str | None) -> str | None:
        """Run what is printed by PostgreSQL's own client, as its owner; gives the error, if there is one."""
        assert sql is not None
        login = self.copy._scripts.info
        variables = {
            "PGHOST": login.host,
            "PGPORT": str(login.port),
            "PGUSER": login.user,
            "PGPASSWORD": login.password,
        }
        done = subprocess.run(
            [BINARIES / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-", login.dbname],
            env={**os.environ, **variables}, input=sql, capture_output=True, text=True, timeout=patience(30),
            check=False,
        )  # fmt: skip
        return None if done.returncode == 0 else done.stderr

    @property
    def objects(self) -> dict[Key, str]:
        return dict(self.copy.catalog().objects)


@contextmanager
def live(server: CloneServer, held_against: MigrationDirectory) -> Iterator[Live]:
    """An empty database with a history table."""
    with server.database("live") as copy:
        made = Live(server, copy, held_against)
        made.run(TABLE)
        with closing(made):
            yield made


@contextmanager
def applied(server: CloneServer, held_against: MigrationDirectory, before: str | None = None) -> Iterator[Live]:
    """A database in which all migrations are applied and recorded, or those before one."""
    with live(server, held_against) as made:
        for migration in held_against.migrations:
            if before is not None and migration.name.endswith(before):
                break
            made.run(migration.sql or "")
            made.record(migration.name)
        yield made


def full_name(name: str) -> str:
    """A migration of Frigg's by the end of its name."""
    (found,) = (migration.name for migration in FRIGG.migrations if migration.name.endswith(name))
    return found
