"""A second environment that the sandbox did not make: stage ``qa`` of a product called acme.

Nothing here comes from ``sandbox``: other names, another schema, database, port, SSH key type and script style.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import secrets
import shutil
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from html import escape
from itertools import count
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import quote, quote_plus

import psycopg

from fixtures.clients.private_directory import private_directory
from fixtures.clone.servers.private_postgres import PrivatePostgres
from fixtures.clone.servers.running import RunningServer
from health.secrets.secret import Secret
from tests.support.clone_servers import ON_LOOPBACK
from tests.support.gate_runs import Result, run
from tests.support.paths import DATA
from tests.support.sandbox import to_toml
from tests.support.second_servers import PORT, REGION, USERS, Api, Aws, Bastion

SECOND = DATA / "second_environment"
LOCK = 72707369
LOGS = "ERROR: out of shared memory"  # of a row that has failed
CLUSTER = "acme-qa-aurora-x7y8z9"
HOSTILE = """20240203000000_it's "$(touch pwned)"; DROP TABLE x --"""
ORDER = ("20240101000000_init", "20240102030405_entity_data", HOSTILE)  # written down, not computed by the suite

_TABLE: LiteralString = """
CREATE TABLE acme._prisma_migrations (
    id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
    migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz,
    started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0
)
"""


class Canary:
    """A hostile secret that is recognised in any spelling."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._core = f"Canary{secrets.token_hex(8)}"
        self.text = f"q'\"$!%/ {self._core} &<{{}}*#;"

    def shown(self, data: bytes) -> bool:
        """Whether the secret, or the part of it that no quoting changes, is in some output."""
        spelt = {self._core, quote(self.text, safe=""), quote_plus(self.text), json.dumps(self.text), escape(self.text)}
        needles = [spelling.encode() for spelling in spelt]
        # base64 of a text that starts anywhere: the middle is one of three
        for shift in range(3):
            needles.append(base64.b64encode(b" " * shift + self._core.encode())[4:-4])
        return any(needle in data for needle in needles)


@dataclass(frozen=True)
class Told:
    """What a run said, and the files that it left in a directory of its own."""

    result: Result
    directory: Path

    @property
    def status(self) -> int:
        return self.result.status

    @property
    def flat(self) -> str:
        """What a person sees, with every run of white space as one space: independent of where lines wrap."""
        return " ".join(self.result.text.split())

    def block(self, name: str) -> str:
        """What a person reads about an environment, from its verdict on, flattened as :attr:`flat`."""
        verdicts = list(re.finditer(r"^(\S+): (?:HEALTHY|BLOCKED|UNKNOWN|PARTIAL)  ", self.result.out, re.MULTILINE))
        starts = {verdict[1]: verdict.start() for verdict in verdicts}
        end = min((start for start in starts.values() if start > starts[name]), default=None)
        return " ".join(self.result.out[starts[name] : end].split())

    @cached_property
    def report(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads((self.directory / "report" / "report.json").read_text())
        return read

    def environment(self, name: str = "qa") -> dict[str, Any]:
        return next(each for each in self.report["environments"] if each["name"] == name)

    def checks(self, name: str = "qa") -> dict[str, dict[str, Any]]:
        """The checks of an environment by id."""
        return {check["id"]: check for check in self.environment(name)["checks"]}

    def outcomes(self, name: str = "qa") -> dict[str, set[str]]:
        """Outcome → the ids of the checks that had it."""
        found: dict[str, set[str]] = {}
        for check in self.environment(name)["checks"]:
            found.setdefault(check["outcome"], set()).add(check["id"])
        return found

    def finding(self, code: str, name: str = "qa") -> dict[str, Any]:
        """The only finding of a code."""
        findings = [f for check in self.environment(name)["checks"] for f in check["findings"] if f["code"] == code]
        assert len(findings) == 1, findings
        found: dict[str, Any] = findings[0]
        return found

    def outputs(self) -> dict[str, bytes]:
        """Everything that the run gave to anybody, by where it stands."""
        files = {str(path): path.read_bytes() for path in self.directory.rglob("*") if path.is_file()}
        return {"stdout": self.result.out.encode(), "stderr": self.result.err.encode(), **files}


@dataclass(repr=False)
class World:
    """The environment with all that it stands on."""

    directory: Path
    app: Path
    bastion: Bastion
    api: Api
    aws: Aws
    database_port: int
    master: str
    canaries: tuple[Canary, ...]
    runs: list[Told] = field(default_factory=list)
    _number: Iterator[int] = field(default_factory=count)

    def registry(self, others: Mapping[str, Mapping[str, Any]] | None = None, **changes: Any) -> Path:
        """A registry file.

        Args:
            others: more environments of the same stage, by name: what they have that the healthy one has not.
            changes: the same for the entry ``qa``; None takes a setting away.
        """
        shared = {
            "region": REGION,
            "account": "123456789012",
            "aws_endpoint_url": self.aws.url,
            "functions": {"auth": "acme-{env}-auth", "worker": "acme-{env}-worker"},
            "secret": "acme/{env}/database",
            "database": "acme",
            "schema": "acme",
            "cluster_prefix": "acme-{env}-",
            "ssh_key": "ops/qa.pem",
            "ssh_port": self.bastion.port,
            "known_hosts": "ops/known_hosts",
            "tunnel_script": "ops/tunnel.sh",
            "migrations": "db/migrations",
            "limits": {"connect_s": 15, "aws_read_s": 30},  # several runs share this process's servers
        }
        entries: dict[str, dict[str, Any]] = {"defaults": shared, "local-dev": {"api_url": f"{self.api.url}/local-dev"}}
        for name, own in {"qa": changes, "qa2": {}, **(others or {})}.items():
            settings = {
                "stage": "qa",
                "api_url": f"{self.api.url}/{name}",
                "aws_access_key_id": self.aws.key_id,
                "aws_secret_access_key": "${ACME_SECRET_KEY}",
                "ssh_user": USERS.get(name, "ubuntu"),
                **own,
            }
            entries[name] = {key: value for key, value in settings.items() if value is not None}
        path = self.directory / f"registry-{next(self._number)}" / "acme.toml"
        path.parent.mkdir()
        path.write_text("\n".join(to_toml(name, entry) for name, entry in entries.items()))
        return path

    def run(
        self,
        *arguments: str,
        env: str = "qa",
        registry: Path | None = None,
        variables: Mapping[str, str] | None = None,
        real: bool = False,
    ) -> Told:
        """Run the suite against it as a user would; ``real`` starts Python anew."""
        directory = self.directory / f"run-{next(self._number)}"
        directory.mkdir()
        empty = self.directory / "empty"
        empty.touch()
        environment = {
            "ACME_SECRET_KEY": self.canaries[2].text,
            "AWS_CONFIG_FILE": str(empty),
            "AWS_SHARED_CREDENTIALS_FILE": str(empty),
            "AWS_EC2_METADATA_DISABLED": "true",
            **(variables or {}),
        }
        words = [word.replace("@RUN@", str(directory)) for word in arguments]
        unused = ["hypothesispytest"] + ["allure_pytest"] * ("alluredir" not in " ".join(words))  # half a second each
        words += [f"-pno:{plugin}" for plugin in unused]
        words += [f"--env={env}", f"--app={self.app}", f"--environments={registry or self.registry()}"]
        told = Told(run(f"--report={directory / 'report'}", *words, env=environment, real=real), directory)
        self.runs.append(told)
        return told

    def together(self, cases: Mapping[str, Mapping[str, Any]]) -> dict[str, Told]:
        """Runs side by side; each case holds the arguments of :meth:`run`, with ``words`` for the command line's."""
        with ThreadPoolExecutor(3) as pool:
            begun = {
                name: pool.submit(self.run, *case.get("words", ()), **{k: v for k, v in case.items() if k != "words"})
                for name, case in cases.items()
            }
            return {name: future.result() for name, future in begun.items()}

    def connect(self, database: str = "acme") -> psycopg.Connection:
        """A session of somebody who may do everything."""
        return psycopg.connect(
            host="127.0.0.1", port=self.database_port, user="postgres", password=self.master, dbname=database,
            autocommit=True, connect_timeout=5, options="-c search_path=acme",
        )  # fmt: skip

    @contextmanager
    def row(
        self, name: str, *, failed: bool = False, age: timedelta = timedelta(hours=3), logs: str | None = LOGS
    ) -> Iterator[str]:
        """One more row in ``_prisma_migrations``; gives its id."""
        with self.connect() as connection:
            row = record(connection, name, secrets.token_hex(32), failed=failed, age=age, logs=logs)
            try:
                yield row
            finally:
                connection.execute("DELETE FROM _prisma_migrations WHERE id = %s", [row])

    @contextmanager
    def lock(self) -> Iterator[int]:
        """Another session that holds Prisma's lock; gives its pid."""
        with self.connect() as connection:
            connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
            yield connection.info.backend_pid

    @contextmanager
    def counting(self) -> Iterator[tuple[Counter[str], Counter[str]]]:
        """The logins at the bastion, by user, and the requests to the API, by environment, from here on."""
        self.bastion.logins.clear()
        self.api.requests.clear()
        yield self.bastion.logins, self.api.requests


def record(
    connection: psycopg.Connection,
    name: str,
    checksum: str,
    *,
    failed: bool = False,
    age: timedelta,
    logs: str | None = LOGS,
) -> str:
    """Put a row in as Prisma's engine does; gives its id."""
    answer = connection.execute(
        "INSERT INTO _prisma_migrations SELECT gen_random_uuid(), %(checksum)s,"
        " CASE WHEN NOT %(failed)s THEN now() - %(age)s + interval '1 s' END, %(name)s,"
        " CASE WHEN %(failed)s THEN %(logs)s END, NULL, now() - %(age)s, (NOT %(failed)s)::int"
        " RETURNING id",
        {"checksum": checksum, "failed": failed, "age": age, "name": name, "logs": logs},
    ).fetchone()
    assert answer is not None
    return str(answer[0])


@contextmanager
def world(directory: Path, server: RunningServer | None = None) -> Iterator[World]:
    """The whole environment, healthy, freed at the end; its database is on this server here, or on a new one."""
    password, admin_key, aws_key = canaries = Canary("database password"), Canary("admin key"), Canary("AWS key")
    before = os.environ.get("MOTO_EC2_LOAD_DEFAULT_AMIS")
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"  # half a second of the start
    with ExitStack() as stack:
        stack.callback(_restore, "MOTO_EC2_LOAD_DEFAULT_AMIS", before)
        master = secrets.token_hex(16) if server is None else server.password.reveal()
        postgres = PrivatePostgres(
            stack.enter_context(private_directory("second")), Secret(master), settings=ON_LOOPBACK
        )
        stack.callback(postgres.stop)
        starting = threading.Thread(target=postgres.start)
        if server is None:
            starting.start()
        aws = Aws(aws_key.text)
        stack.callback(aws.stop)
        api = Api(admin_key.text)
        stack.callback(api.stop)
        bastion = Bastion()
        stack.callback(bastion.stop)
        bastion.start()
        endpoints = _seed(aws, password.text, admin_key.text)
        app = directory / "checkout"
        _checkout(app, bastion, endpoints)
        if server is None:
            starting.join()
        port = postgres.port if server is None else server.port
        made = World(directory, app, bastion, api, aws, port, master, canaries)
        _fill(made, password.text)
        bastion.forwards[endpoints["qa"], PORT] = port
        yield made


def _restore(name: str, value: str | None) -> None:
    if value is None:
        del os.environ[name]
    else:
        os.environ[name] = value


def _seed(aws: Aws, password: str, admin_key: str) -> dict[str, str]:
    # The other stage comes first, so that whoever takes the first of anything is wrong.
    endpoints = {"local-dev": aws.cluster("acme-local-dev-aurora-a1b2c3"), "qa": aws.cluster(CLUSTER)}
    aws.bastion("acme bastion local-dev", "127.0.0.3")
    aws.bastion("acme bastion qa", "127.0.0.1")
    logins = {"local-dev": ("reader", "other-password"), "qa": ("acme_reader", password)}
    for stage, (user, word) in logins.items():
        aws.secret(f"acme/{stage}/database", {"username": user, "password": word})
        place = {"LocationConstraint": REGION}
        aws.client("s3").create_bucket(Bucket=f"acme-{stage}-runs", CreateBucketConfiguration=place)
        for purpose in ("worker", "auth"):
            variables = {
                "DATABASE_URL": f"postgresql://{user}:{quote(word, safe='')}@{endpoints[stage]}:{PORT}/acme",
                "ADMIN_API_KEY": admin_key if stage == "qa" else "other-key",
                "STAGE": stage,
                "S3_BUCKET_NAME": f"acme-{stage}-runs",
            }
            aws.function(f"acme-{stage}-{purpose}", variables)
    aws.secret("acme/qa/rotated", {"username": "acme_reader", "password": f"{password}!"})
    return endpoints


def _checkout(app: Path, bastion: Bastion, endpoints: Mapping[str, str]) -> None:
    migrations = app / "db" / "migrations"
    shutil.copytree(SECOND / "migrations", migrations)
    (migrations / HOSTILE).mkdir()
    (migrations / HOSTILE / "migration.sql").write_text('CREATE TABLE "It\'s ""quoted""" (id int);\n')
    (migrations / "migration_lock.toml").write_text('provider = "postgresql"\n')
    script = (SECOND / "tunnel.sh").read_text()
    for stage, endpoint in endpoints.items():
        script = script.replace(f"@{stage.upper().replace('-', '_')}_ENDPOINT@", endpoint)
    (app / "ops").mkdir()
    (app / "ops" / "tunnel.sh").write_text(script)
    key = app / "ops" / "qa.pem"
    key.touch(mode=0o600)
    key.write_bytes(bastion.client_key.export_private_key("pkcs1-pem"))
    (app / "ops" / "known_hosts").write_text(bastion.known_hosts())


def _fill(made: World, password: str) -> None:
    with made.connect("postgres") as connection:
        connection.execute("CREATE DATABASE acme")
        connection.execute(psycopg.sql.SQL("CREATE ROLE acme_reader LOGIN PASSWORD {}").format(password))
        connection.execute("GRANT pg_read_all_data TO acme_reader")
    with made.connect() as connection:
        connection.execute("CREATE SCHEMA acme")
        connection.execute(_TABLE)
        for number, name in enumerate(ORDER):
            data = (made.app / "db" / "migrations" / name / "migration.sql").read_bytes()
            connection.execute(data)
            checksum = hashlib.sha256(data).hexdigest()
            record(connection, name, checksum, age=timedelta(days=9, minutes=-number))
