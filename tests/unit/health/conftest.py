"""The checks are declared: from them the causes of findings are collected."""

from __future__ import annotations

import pytest

from plugins.run.check_catalog import all_checks


@pytest.fixture(scope="session", autouse=True)
def checks() -> None:
    all_checks()
