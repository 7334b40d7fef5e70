"""A database in which every name is hostile: schema, tables, columns, indexes, migrations and their logs."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from psycopg.sql import SQL, Identifier

from tests.support.gate_runs import Result
from tests.support.hostile import HOSTILE, file_name, identifier
from tests.support.plain_application import Server, Shop, serving

# Those that a name in a file and in PostgreSQL can have, as far as a file system and a shell's argument take them.
NAMES = [text for text in HOSTILE if 0 < len(text.strip()) < 60 and "\n" not in text]
OWNED = Path("/tmp/owned")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as started:
        yield started


def hostile_shop(server: Server, place: Path, text: str) -> Shop:
    """An application in which each name has the text: with an orphan, a failed row, drift, and one that is pending."""
    shop = Shop(server, place, schema=identifier(text), migrations={})
    table, column = (Identifier(identifier(f"{kind}{text}")) for kind in ("t", "c"))
    names = [file_name(f"{number}{text}") for number in range(3)]
    made = SQL("CREATE TABLE {0} ({1} int); CREATE INDEX ON {0} ({1});").format(table, column).as_string(None)
    shop.add(names[0], made)
    shop.apply(names[0])
    shop.add(names[1], SQL("ALTER TABLE {} ADD COLUMN later int;").format(table).as_string(None))
    shop.row(names[1], datetime(2026, 1, 2, tzinfo=UTC), None)
    shop.migrations[names[2]] = "SELECT 1;"
    shop.row(names[2], datetime(2026, 1, 3, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC))
    shop.add(file_name(f"9{text}"), SQL("ALTER TABLE {} ADD COLUMN last int NOT NULL;").format(table).as_string(None))
    with shop.session() as session:
        session.execute(SQL("INSERT INTO {} VALUES (1); ALTER TABLE {} ADD COLUMN {} text").format(
            table, table, Identifier(identifier(f"drift{text}"))
        ))  # fmt: skip
        session.execute("UPDATE _prisma_migrations SET logs = %s", [text])
    return shop


def steering(text: str) -> list[str]:
    """What of a text could steer a terminal or a CI runner."""
    control = [c for c in text if c not in "\n\t" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]
    return control + [line for line in text.split("\n") if line.lstrip().startswith("::") or "##[" in line]


def inert(result: Result, report: Path) -> None:
    assert result.status in (1, 10), result.text
    assert "Traceback" not in result.text
    assert "INTERNALERROR" not in result.text
    assert not steering(result.text)
    files = {path.name: path.read_text() for path in report.iterdir()}
    assert json.loads(files["report.json"])["exit_status"] == result.status
    assert {name: found for name, content in files.items() if (found := steering(content))} == {}
    assert not any(line.lstrip().startswith("\\") for line in files["fixes-database.sql"].split("\n"))
    assert not OWNED.exists()


@pytest.mark.parametrize("text", NAMES, ids=range(len(NAMES)))
def test_what_a_person_and_a_program_get_of_it_is_inert(server: Server, tmp_path: Path, text: str) -> None:
    shop = hostile_shop(server, tmp_path / "shop", text)
    report = tmp_path / "report"
    url = server.url(shop.database, schema=quote(shop.schema, safe=""))
    inert(shop.gate(f"--report={report}", "-v", url=url), report)
