"""``--database-url``: how an environment without a registry is named, found, and refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.gate_runs import Result, run
from tests.support.plain_application import (
    INIT,
    MIGRATIONS,
    PACKAGE,
    PASSWORD,
    SCHEMA,
    VARIABLE,
    Shop,
    suite,
)  # fmt: skip


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


def test_a_waiver_of_the_registrys_own_environment_is_no_mistake(shop: Shop) -> None:
    shop.apply()
    shop.write("environments.toml", f'[prod]\ndatabase_url = "${{{VARIABLE}}}"\n')
    waiver = '[[waiver]]\ncode = "orphaned-migration"\nenvironment = "{}"\nsubject = "1_x"\nreason = "A trial."\n'
    rest = 'owner = "ann@example.com"\nexpires = 2099-12-31\n'
    shop.write("waivers.toml", "\n".join(waiver.format(name) + rest for name in ("prod", "nowhere")))
    result = shop.gate("-k", "waivers_hold")
    assert "no environment 'nowhere'" in result.out
    assert "no environment 'prod'" not in result.out


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
