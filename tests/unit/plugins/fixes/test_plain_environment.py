"""What is said where there is no fix: a plain database is led to what it has."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from health.config.database_url import UrlLogin, read_database_url
from health.config.environment import Environment
from health.finding import Finding
from plugins.fixes import FIXES, suggest
from plugins.run.check_catalog import all_checks, checks_of_parts

LOGIN = UrlLogin(read_database_url("postgresql://ann:geheim@db.example/shop"), "SHOP_URL of .env", Path())
PLAIN = Environment("shop", "shop", frozenset(), url_login=LOGIN)
ELSEWHERE = re.compile(
    r"\b(API|frigg|AWS|RDS|Lambda|functions?|worker|cluster|layer|bastion|tunnel|secret|serverless)\b", re.IGNORECASE
)
all_checks()
REASONS = sorted(
    {
        code
        for check in checks_of_parts([]).values()
        for code in check.finds
        if code in FIXES
        and FIXES[code].needs == ("environment",)
        and FIXES[code].build.__qualname__.startswith("_reason")
    }
)


@pytest.mark.parametrize("code", REASONS)
def test_a_reason_names_nothing_that_the_environment_does_not_have(code: str) -> None:
    suggested, reason = suggest(
        Finding(code, "SUBJECT", "message", {"constraint": "CONSTRAINT"}), {"environment": PLAIN}
    )
    assert suggested == []
    assert reason
    assert "defect of the suite" not in reason
    assert not ELSEWHERE.search(reason)
    assert "geheim" not in reason


def test_the_url_is_named_by_where_it_is_from() -> None:
    finding = Finding("database-missing", "ann@shop", "message")
    _, reason = suggest(finding, {"environment": PLAIN})
    assert reason is not None
    assert "the URL (SHOP_URL of .env)" in reason
    _, reason = suggest(finding, {"environment": replace(PLAIN, url_login=None)})
    assert reason is not None
    assert "the functions' DATABASE_URL" in reason
