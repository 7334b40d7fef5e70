"""What a DATABASE_URL says, however its password is spelt."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from health.aws.database_url import Destination, differences, parse
from health.aws.resources import Cluster

HOSTILE = "q'\"$!%/ \\{}&*(;:?#[]@x"
OWN = Cluster("a-dev-1", "available", 5432, "w.dev", "r.dev", (("i.dev", "a-dev-1-one"),))
OTHER = Cluster("a-prod-1", "available", 5432, "w.prod", "r.prod", (("i.prod", "a-prod-1-one"),))


@pytest.mark.parametrize("password", [HOSTILE, quote(HOSTILE, safe=""), "plain", "100%25", "", "a@b.example/c"])
@pytest.mark.parametrize(
    ("tail", "destination"),
    [
        ("db.example:5433/postgres", Destination("db.example", 5433, "postgres")),
        ("db.example/frigg?schema=public&sslmode=require", Destination("db.example", 5432, "frigg")),
        ("db.example", Destination("db.example", 5432, "")),
        ("[::1]:5432/x", Destination("::1", 5432, "x")),
    ],
)
def test_parts(password: str, tail: str, destination: Destination) -> None:
    assert parse(f"postgresql://postgres:{password}@{tail}") == (destination, "postgres", password)
    assert parse(f" postgres://postgres:{password}@{tail}\n") == (destination, "postgres", password)


@pytest.mark.parametrize(
    "text", ["", "nonsense", "mysql://u:p@h/d", "postgresql://h/d", "postgresql://u:p@/d", "file:/x"]
)
def test_no_url_of_postgresql(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("destination", "told"),
    [
        (Destination("w.dev", 5432, "postgres"), ""),
        (Destination("r.dev", 5432, "postgres"), "the reader's"),
        (Destination("i.dev", 5432, "postgres"), "a-dev-1-one"),
        (Destination("w.prod", 5432, "postgres"), "another cluster, a-prod-1"),
        (Destination("r.prod", 5432, "postgres"), "another cluster, a-prod-1"),
        (Destination("i.prod", 5432, "postgres"), "another cluster, a-prod-1"),
        (Destination("old", 5432, "postgres"), "no endpoint that AWS knows of"),
        (Destination("w.dev", 5433, "postgres"), "port is 5432"),
        (Destination("w.dev", 5432, "frigg"), "database is postgres"),
    ],
)
def test_where_it_leads(destination: Destination, told: str) -> None:
    said = list(differences(destination, "postgres", OWN, (OTHER, OWN)))
    assert len(said) == bool(told)
    assert told in "".join(said)
