"""The variables of ``.env`` files, as Prisma's command line itself reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from fixtures.config.database_url import resolve_database_url
from fixtures.config.env_files import env_files
from health.config.database_hosts import DatabaseUrlError
from health.config.database_url import read_database_url
from tests.engine import prisma

pytestmark = pytest.mark.skipif(prisma.unavailable() is not None, reason=str(prisma.unavailable()))

SCHEMA = 'datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}\n'
URL = "postgresql://u:p@127.0.0.1:1"  # nobody listens there
DATABASE = re.compile(r'PostgreSQL database "(.*?)", schema "(.*?)" at "(.*?)"')
REFUSED = "There is a conflict between env var"
ROOT, SECOND, BESIDE = ".env", "prisma/.env", "db/.env"


@pytest.mark.parametrize(
    ("files", "variables"),
    [
        ({ROOT: f"DATABASE_URL={URL}/root"}, {}),
        ({ROOT: f"DATABASE_URL={URL}/root", SECOND: f"DATABASE_URL={URL}/prisma"}, {}),
        ({ROOT: f"DATABASE_URL={URL}/root", SECOND: f"DATABASE_URL={URL}/root"}, {}),
        ({BESIDE: f"DATABASE_URL={URL}/beside", SECOND: f"DATABASE_URL={URL}/prisma"}, {}),
        ({SECOND: f"DATABASE_URL={URL}/prisma"}, {}),
        ({ROOT: "NAME=n", BESIDE: f"DATABASE_URL={URL}/${{NAME}}"}, {}),
        ({ROOT: f"DATABASE_URL={URL}/root?schema=app"}, {"DATABASE_URL": f"{URL}/shell?schema=s"}),
        ({ROOT: f"A=x\nDATABASE_URL='{URL}/${{A}}${{NONE}}$A?schema=${{B}}'\nB=${{A}}y"}, {"A": "shell"}),
        ({ROOT: f"DATABASE_URL=`{URL}/tick`"}, {}),
        ({ROOT: f"\ufeffexport DATABASE_URL = {URL}/bom?schema=a#b"}, {}),
        ({ROOT: f"DATABASE_URL={URL}/a${{DATABASE_URL}}"}, {}),
    ],
)
def test_prisma_reads_the_same_url(tmp_path: Path, files: Mapping[str, str], variables: Mapping[str, str]) -> None:
    (tmp_path / "package.json").write_text('{"name": "app"}')
    for directory in ("db", "prisma"):
        (tmp_path / directory).mkdir()
    (tmp_path / "db" / "schema.prisma").write_text(SCHEMA)
    for path, text in files.items():
        (tmp_path / path).write_text(text)
    said = prisma.announced(tmp_path, "db/schema.prisma", variables)
    found = env_files(tmp_path, tmp_path / "db")
    assert [str(path.relative_to(tmp_path)) for path in found] == re.findall(r"variables loaded from (\S+)", said) or (
        REFUSED in said or "call stack" in said
    )
    try:
        resolved = resolve_database_url("DATABASE_URL", variables, found, "--url")
    except DatabaseUrlError as error:
        assert "without end" in str(error)  # noqa: PT017 - either is compared
        assert "Maximum call stack size exceeded" in said
        return
    assert (REFUSED in said) == any("Prisma refuses" in warning for warning in resolved.warnings), said
    if REFUSED not in said:
        url = read_database_url(resolved.text.reveal())
        assert DATABASE.findall(said) == [(url.database, url.schema, str(url.hosts[0]))], said
