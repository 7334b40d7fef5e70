"""A plain Prisma application in each state: judged without Frigg and AWS, and led to nothing that it does not have."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.plain_application import (
    BEGAN,
    EMAIL,
    INIT,
    MIGRATIONS,
    NOT_JUDGED,
    PASSWORD,
    Server,
    Shop,
    elsewhere,
    roots,
    serving,
)  # fmt: skip

DEBIAN = Path("/usr/lib/postgresql/15/bin")


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
    twice: (0, {"duplicated-row"}),
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
    assert result.status == 10
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
    with serving(DEBIAN) as started:
        shop = Shop(started, tmp_path / "shop")
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
