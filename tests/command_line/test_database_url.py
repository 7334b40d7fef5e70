"""``--database-url``: a plain Prisma application on a PostgreSQL of anybody's, without Frigg and without AWS."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.clients.private_directory import private_directory
from fixtures.clone.servers.private_postgres import PrivatePostgres
from health.secrets.secret import Secret
from tests.support.gate_runs import Result, run
from tests.support.plain_application import (
    BEGAN,
    EMAIL,
    INIT,
    MIGRATIONS,
    PACKAGE,
    PASSWORD,
    SCHEMA,
    VARIABLE,
    Server,
    Shop,
    suite,
)  # fmt: skip

DEBIAN = Path("/usr/lib/postgresql/15/bin")
# What a plain application does not have: no text for its owner may lead there.
ELSEWHERE = re.compile(
    r"\b(API|frigg|AWS|RDS|Lambda|worker|cluster|layer|bastion|tunnel|secret|the guide|stage|serverless)\b",
    re.IGNORECASE,
)
NOT_JUDGED = (
    "not judged   AWS, tunnel, tunnel script, functions, API, logs, layer, Frigg's own tables (no such settings)"
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with private_directory("plain") as place, PrivatePostgres(place, Secret(PASSWORD)) as postgres:
        yield Server(postgres)


@pytest.fixture
def shop(server: Server, tmp_path: Path) -> Shop:
    return Shop(server, tmp_path / "shop")


def healthy(shop: Shop) -> None:
    shop.apply()


def pending(shop: Shop) -> None:
    shop.apply(INIT)


def failed(shop: Shop) -> None:
    shop.apply(failed=EMAIL)


def orphaned(shop: Shop) -> None:
    shop.apply()
    shop.remove(EMAIL)


def edited(shop: Shop) -> None:
    shop.apply()
    shop.add(EMAIL, f'{MIGRATIONS[EMAIL]}ALTER TABLE "Customer" ADD COLUMN "phone" TEXT;\n')


def drifted(shop: Shop) -> None:
    shop.apply()
    shop.sql('CREATE TABLE "ByHand" ("id" INT)', 'ALTER TABLE "Customer" DROP COLUMN "name"')


def never_ran(shop: Shop) -> None:
    shop.apply()
    shop.sql('ALTER TABLE "Customer" DROP COLUMN "email"')


def without_history(shop: Shop) -> None:
    shop.sql(*MIGRATIONS.values())


def empty(shop: Shop) -> None:
    shop.sql("SELECT")


def of_somebody_else(shop: Shop) -> None:
    shop.sql("CREATE TABLE posts (id int)", "INSERT INTO posts VALUES (1)")


def rows_in_the_way(shop: Shop) -> None:
    shop.apply(INIT)
    shop.sql("""INSERT INTO "Customer" ("name") VALUES ('Ann')""")
    shop.add(EMAIL, 'ALTER TABLE "Customer" ADD COLUMN "email" TEXT NOT NULL;\n')


def crashed(shop: Shop) -> None:
    failed(shop)
    shop.sql("UPDATE _prisma_migrations SET logs = NULL WHERE finished_at IS NULL")


def crashed_just_now(shop: Shop) -> None:
    crashed(shop)
    shop.sql("UPDATE _prisma_migrations SET started_at = now() WHERE finished_at IS NULL")


def twice(shop: Shop) -> None:
    shop.apply()
    shop.row(EMAIL, BEGAN, BEGAN)


STATES: dict[Callable[[Shop], None], tuple[int, set[str]]] = {
    healthy: (0, set()),
    pending: (0, {"pending-migration"}),
    failed: (1, {"failed-migration"}),
    crashed: (1, {"crashed-migration"}),
    crashed_just_now: (1, {"crashed-migration"}),
    twice: (1, {"duplicated-row"}),
    orphaned: (1, {"orphaned-migration"}),
    edited: (1, {"edited-migration"}),
    drifted: (1, {"schema-object-extra", "schema-object-missing"}),
    never_ran: (1, {"phantom-row"}),
    without_history: (1, {"no-history"}),
    empty: (0, {"pending-migration"}),
    of_somebody_else: (1, {"no-history"}),
    rows_in_the_way: (1, {"pending-data-violates"}),
}


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_a_state_is_judged_and_what_is_suggested_is_within_reach(
    shop: Shop, state: Callable[[Shop], None], tmp_path: Path
) -> None:
    status, codes = STATES[state]
    state(shop)
    result = shop.gate("-v", f"--report={tmp_path / 'report'}")
    assert result.status == status, result.text
    assert roots(tmp_path / "report") == codes
    assert NOT_JUDGED in result.out
    assert PASSWORD not in result.text
    for file in (tmp_path / "report").iterdir():
        assert PASSWORD not in file.read_text()
    assert not elsewhere(result, tmp_path)


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


def test_history_and_models_are_in_the_schema_of_the_url(shop: Shop, tmp_path: Path) -> None:
    shop.schema = "shop schema"
    shop.apply()
    url = shop.url.replace(" ", "%20")
    result = shop.gate("--clone=auto", url=url)
    assert result.status == 0, result.text
    assert "2 rows: 2 applied" in result.out
    shop.sql("UPDATE _prisma_migrations SET finished_at = NULL", 'ALTER TABLE "Customer" DROP COLUMN "email"')
    result = shop.gate(f"--report={tmp_path / 'report'}", url=url)
    assert roots(tmp_path / "report") == {"crashed-migration"}
    assert 'UPDATE "shop schema"."_prisma_migrations"' in result.out


def test_a_migration_at_work_is_waited_for(shop: Shop) -> None:
    pending(shop)
    with shop.session() as session:
        session.execute("SELECT pg_advisory_lock(72707369)")
        result = shop.gate("-v", "--clone=off")
    assert result.status == 1, result.text
    assert "migration-running" in result.out
    assert not elsewhere(result, shop.root)


@pytest.mark.parametrize("state", [pending, failed, rows_in_the_way], ids=lambda state: state.__name__)
def test_an_answer_about_editing_ends_with_the_deploy_of_the_application(
    shop: Shop, state: Callable[[Shop], None]
) -> None:
    state(shop)
    result = shop.gate("--editing", EMAIL[:8])
    assert result.status == (state is rows_in_the_way), result.text
    assert result.out.count("npx prisma migrate deploy") == 1
    assert not elsewhere(result, shop.root)


def test_a_right_that_is_missing_is_named_with_its_grant(shop: Shop) -> None:
    shop.apply()
    shop.sql(
        f"CREATE ROLE \"shop's reader\" LOGIN PASSWORD '{PASSWORD}'",
        f'GRANT CONNECT ON DATABASE {shop.database} TO "shop\'s reader"',
    )
    result = shop.gate(url=shop.server.url(shop.database, "shop's%20reader"))
    assert result.status == 1
    assert "UNKNOWN" in result.out
    told = " ".join(result.out.split())
    assert "permission denied for table _prisma_migrations" in told
    assert 'GRANT pg_read_all_data, pg_read_all_stats TO "shop\'s reader"' in told


@pytest.fixture(scope="module")
def roles(server: Server) -> None:
    """Roles that are refused each for another reason."""
    with server.connect() as session:
        for name, how in (("expired", "LOGIN VALID UNTIL '2020-01-01'"), ("crowded", "LOGIN CONNECTION LIMIT 0")):
            session.execute(f"CREATE ROLE {name} PASSWORD '{PASSWORD}' {how}".encode())


@pytest.mark.parametrize(
    ("change", "code", "advice"),
    [
        (("127.0.0.1", "db.invalid"), "database-silent", "correct host and port of the URL"),
        ((r":\d+/", ":1/"), "database-silent", "correct host and port of the URL"),
        (("//postgres:", "//nobody:"), "database-login-refused", "Correct user, password and sslmode of the URL"),
        (("//postgres:", "//expired:"), "database-login-refused", "Correct user, password and sslmode of the URL"),
        (("//postgres:", "//crowded:"), "too-many-connections", "raise max_connections or the role's own limit"),
        (("/shop_", "/no_shop_"), "database-missing", "Correct the name of the database in the URL"),
    ],
    ids=["host", "port", "user", "expired", "crowded", "database"],
)
@pytest.mark.usefixtures("roles")
def test_a_server_that_lets_nobody_in_leads_to_the_url(
    shop: Shop, tmp_path: Path, change: tuple[str, str], code: str, advice: str
) -> None:
    result = shop.gate("-v", f"--report={tmp_path / 'report'}", url=re.sub(*change, shop.url))
    assert result.status == 1, result.text
    assert roots(tmp_path / "report") == {code}
    assert advice in " ".join(result.out.split())
    assert not elsewhere(result, tmp_path)
    assert PASSWORD not in result.text


def test_debians_own_server_is_judged_as_well(tmp_path: Path) -> None:
    if not (DEBIAN / "initdb").exists():
        pytest.skip("no PostgreSQL 15 of Debian on this machine")
    with private_directory("plain") as place, PrivatePostgres(place, Secret(PASSWORD), programs=DEBIAN) as postgres:
        shop = Shop(Server(postgres), tmp_path / "shop")
        failed(shop)
        result = shop.gate(f"--report={tmp_path / 'report'}")
    assert result.status == 1
    assert roots(tmp_path / "report") == {"failed-migration"}
    assert "PostgreSQL 15" in result.out
    assert "Proven to the end" in result.out


def test_two_processes_judge_as_one_does(shop: Shop) -> None:
    pending(shop)
    result = shop.gate("-n", "2")
    assert result.status == 0, result.text
    assert "HEALTHY" in result.out
    assert NOT_JUDGED in result.out


def test_frigg_elsewhere_than_on_aws_has_its_own_tables_judged(shop: Shop) -> None:
    shop.add("20260103000000_entity", 'CREATE TABLE "Entity" ("id" SERIAL PRIMARY KEY, "data" JSONB);\n')
    shop.apply()
    result = shop.gate("-v", "-k", "entity or invariant")
    assert "test_entity_data_column[database] PASSED" in result.out
    assert "test_entity_data_object[database] PASSED" in result.out
    assert "not judged   AWS, tunnel, tunnel script, functions, API, logs, layer (no such settings)" in result.out


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"package-lock.json": "{}"}, "npx prisma migrate deploy"),
        ({"pnpm-lock.yaml": ""}, "pnpm exec prisma migrate deploy"),
        ({"yarn.lock": ""}, "yarn prisma migrate deploy"),
        ({"bun.lock": ""}, "bunx prisma migrate deploy"),
    ],
    ids=["npm", "pnpm", "yarn", "bun"],
)
def test_the_deploy_is_the_package_managers(shop: Shop, files: dict[str, str], command: str) -> None:
    shop.history()
    for name, text in files.items():
        shop.write(name, text)
    result = shop.gate("-k", "no_pending_migration")
    assert "Deploy database" in result.out
    # The schema's own variable may lead anywhere, the one that was named leads to what was judged.
    assert f'cd {shop.root} && DATABASE_URL="${VARIABLE}" {command}' in result.out


@pytest.mark.parametrize("profile", [None, "somebody-elses"])
def test_aws_of_the_users_shell_has_no_say(shop: Shop, profile: str | None) -> None:
    shop.apply()
    result = shop.gate("-k", "no_failed_migration", env={} if profile is None else {"AWS_PROFILE": profile})
    assert result.status == 0, result.text
    assert "somebody-elses" not in result.text


def test_a_literal_url_is_taken_and_warned_of(shop: Shop) -> None:
    shop.apply()
    result = run(*suite(), f"--database-url={shop.url}", "-k", "no_failed_migration", cwd=shop.root)
    assert result.status == 0, result.text
    assert "note         --database-url: other users see the URL in the list of processes." in result.out
    assert PASSWORD not in result.text


def test_the_file_that_prisma_reads_is_read_and_never_shown(shop: Shop) -> None:
    shop.apply()
    shop.write(".env", f'SECRET_OF_SOMETHING="not to be shown"\n{VARIABLE}="{shop.url}"\n')
    result = run(
        *suite(), f"--database-url={VARIABLE}", "-k", "no_failed_migration", cwd=shop.root / "prisma",
        env={"SHOP_URL_OF_ANOTHER": "x"},
    )  # fmt: skip
    assert result.status == 0, result.text
    assert f"{VARIABLE} of {shop.root / '.env'}" in result.out
    for secret in (PASSWORD, shop.url, "not to be shown"):
        assert secret not in result.text


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mysql://root@127.0.0.1/shop", "MySQL"),
        ("file:./dev.db", "SQLite"),
        ("mongodb+srv://u:geheim@x/shop", "MongoDB"),
        ("sqlserver://127.0.0.1;database=shop", "SQL Server"),
        ("prisma+postgres://accelerate.prisma-data.net/?api_key=geheim", "prisma+postgres"),
        ("postgresql:///shop", "no server"),
        ("postgresql://u:geheim@127.0.0.1 /shop", "blank"),
        ("postgresql://u:geheim@127.0.0.1:port/shop", "port"),
        ("", VARIABLE),
    ],
)
def test_another_url_is_one_line_that_names_what_is_supported(tmp_path: Path, url: str, told: str) -> None:
    application(tmp_path)
    result = run(*suite(), f"--database-url={VARIABLE}", cwd=tmp_path, env={VARIABLE: url})
    line = refused(result)
    assert told in line
    assert VARIABLE in line
    assert "geheim" not in result.text


def test_a_variable_that_nobody_sets_is_named_with_where_it_was_looked_for(tmp_path: Path) -> None:
    application(tmp_path)
    (tmp_path / ".env").write_text("OTHER_URL=x\n")
    line = refused(run(*suite(), "--database-url=SHOP_URL", cwd=tmp_path))
    assert "SHOP_URL" in line
    assert ".env" in line


@pytest.mark.parametrize("arguments", [(), ("--migrations=prisma/migrations",)], ids=["found", "named"])
@pytest.mark.parametrize("version", ["4.16.2", "^4.0.0", "8.0.0", "8.0.0-dev.3", "^8.1.0"])
def test_a_prisma_of_other_rules_is_named_and_never_judged(
    tmp_path: Path, version: str, arguments: tuple[str, ...]
) -> None:
    application(tmp_path, {"devDependencies": {"prisma": version}})
    url = "postgresql://u:p@127.0.0.1:9/shop"
    line = refused(run(*suite(), f"--database-url={VARIABLE}", *arguments, cwd=tmp_path, env={VARIABLE: url}))
    assert f"Prisma {version}" in line
    assert "only Prisma 5 to 7 can be checked" in line


def test_a_configuration_that_throws_asks_for_the_migrations(tmp_path: Path) -> None:
    application(tmp_path)
    (tmp_path / "prisma.config.mjs").write_text('throw new Error("not today")\n')
    result = run(*suite(), f"--database-url={VARIABLE}", cwd=tmp_path, env={VARIABLE: "postgresql://u:p@127.0.0.1/x"})
    line = refused(result)
    assert "prisma.config.mjs" in line
    assert "--migrations" in line
    assert "Traceback" not in result.text


def test_two_applications_are_a_list_to_choose_from(tmp_path: Path) -> None:
    for name in ("one", "the other"):
        application(tmp_path / name)
    result = run(*suite(), f"--database-url={VARIABLE}", cwd=tmp_path, env={VARIABLE: "postgresql://u:p@127.0.0.1/x"})
    assert result.status == 4
    assert "2 applications" in result.err
    assert "--app one" in result.err
    assert "--app 'the other'" in result.err


def test_no_application_says_where_it_was_looked_for(tmp_path: Path) -> None:
    result = run(*suite(), f"--database-url={VARIABLE}", cwd=tmp_path, env={VARIABLE: "postgresql://u:p@127.0.0.1/x"})
    line = refused(result)
    assert str(tmp_path) in line
    assert "--app DIR" in line


def test_migrations_are_never_run_where_there_is_no_api(tmp_path: Path) -> None:
    application(tmp_path)
    url = "postgresql://u:p@127.0.0.1:9/x"
    line = refused(run(*suite(), f"--database-url={VARIABLE}", "--migrate", cwd=tmp_path, env={VARIABLE: url}))
    assert "--migrate" in line
    assert "npx prisma migrate deploy" in line


def test_an_entry_with_a_url_stands_beside_one_of_frigg(shop: Shop, tmp_path: Path) -> None:
    shop.apply()
    (tmp_path / "environments.toml").write_text(
        """
[defaults]
region = "eu-west-1"
profile = "no-such-profile"
app = "frigg"
secret = "frigg-{env}"
cluster_prefix = "frigg-{env}-"
ssh_key = "key.pem"
tunnel_script = "tunnel.sh"
migrations = "migrations"
api_url = "https://{env}.api.example"
layer = "layer"
functions.auth = "frigg-{env}-auth"
functions.worker = "frigg-{env}-worker"

[prod]

[staging]
app = "shop"
database_url = "${STAGING_URL}"
"""
    )
    only = ("-k", "no_failed_migration or database_answers")
    result = run(*suite(), "--env=staging", *only, cwd=tmp_path, env={"STAGING_URL": shop.url})
    assert result.status == 0, result.text
    assert "staging: not judged   AWS, tunnel," in result.out
    for word in ("no-such-profile", "eu-west-1", "api.example", PASSWORD):
        assert word not in result.text
    # The other one is asked for what it needs, and nothing is read of either.
    result = run(*suite(), "--env=prod,staging", *only, cwd=tmp_path, env={"STAGING_URL": shop.url})
    assert result.status == 4
    assert "Before this can run:" in result.err
    missing = result.err.partition("Before this can run:")[2]
    assert "staging" not in missing
    assert 'app = "DIR" under [prod] in environments.toml' in missing


def application(root: Path, package: dict[str, Any] | None = None) -> None:
    """The files of one, whose database nobody asks."""
    (root / "prisma/migrations" / INIT).mkdir(parents=True)
    (root / "prisma/migrations" / INIT / "migration.sql").write_text(MIGRATIONS[INIT])
    (root / "prisma/schema.prisma").write_text(SCHEMA)
    (root / "package.json").write_text(json.dumps(package or PACKAGE))


def refused(result: Result) -> str:
    """The one line of a run that cannot begin."""
    assert result.status == 4, result.text
    (line,) = [each for each in result.err.splitlines() if each]
    assert line.startswith("ERROR: ")
    assert "collected" not in result.out
    return line
