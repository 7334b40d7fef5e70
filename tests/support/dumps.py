"""A database as ``pg_dump`` writes it, object by object: an eye that is not ours."""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter

from fixtures.clone.servers import RunningServer
from tests.support.faults import BINARIES
from tests.support.load import patience

_OPTIONS = ("--schema-only", "--no-owner", "--no-privileges", "--restrict-key=tests")
_HEADER = re.compile(r"^--\n-- (Name: .*; Type: .*; Schema: .*);.*\n--\n", re.MULTILINE)
_TABLE = re.compile(r"(CREATE (?:UNLOGGED |FOREIGN )?TABLE [^(]*\(\n)(.*?)(\n\))", re.DOTALL)


def dumped(server: RunningServer, database: str) -> Counter[tuple[str, str]]:
    """Each object's name with its SQL, without the order of columns."""
    login = {
        "PGHOST": server.host,
        "PGPORT": str(server.port),
        "PGUSER": server.user,
        "PGPASSWORD": server.password.reveal(),
    }
    text = subprocess.run(
        [BINARIES / "pg_dump", *_OPTIONS, database], env={**os.environ, **login}, capture_output=True, text=True,
        timeout=patience(30), check=True,
    ).stdout  # fmt: skip
    _, *parts = _HEADER.split(text)
    return Counter(zip(parts[::2], map(_sorted, parts[1::2]), strict=True))


def _sorted(sql: str) -> str:
    def columns(hit: re.Match[str]) -> str:
        lines = sorted(line.rstrip(",") for line in hit[2].split("\n"))
        return hit[1] + "\n".join(lines) + hit[3]

    return _TABLE.sub(columns, sql).strip()
