"""``--init``: writes an ``environments.toml`` for the application of where the user stands."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from health.application.application import Application, NoApplication, Several
from health.config import draft, registry
from health.config.validation import RegistryError
from health.finding import CouldNotCheck
from health.words import listed
from migration_health import INSTALLED
from plugins.paths import ROOT
from plugins.run.registry_file import NAME
from plugins.run.user_files import from_here


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option."""
    parser.getgroup("migration health").addoption(
        "--init", action="store_true", help="write an environments.toml for the application here, or of --app DIR"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Write the file and end, if that is asked for; exit status 4 where there is one, or no application."""
    if not config.option.init:
        return None
    here = config.invocation_params.dir
    file = here / NAME
    if os.path.lexists(file):
        raise pytest.UsageError(f"--init: {file} is there already. Nothing was written.")
    application = _find(from_here(config, config.option.app) if config.option.app else here)
    text, left = _draft(application, here)
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(text)
    except (OSError, UnicodeEncodeError) as error:
        raise pytest.UsageError(f"--init: {file} could not be written: {error}.") from None
    print(_told(config, application, text, left))
    return 0


def _find(start: Path) -> Application:
    from fixtures.application.finding import find_application  # while most runs write no registry

    try:
        found = find_application(start)
    except CouldNotCheck as problem:
        raise pytest.UsageError(f"--init: {problem}") from None
    if isinstance(found, Several):
        names = "; ".join(f"--app {choice.name} ({choice.what})" for choice in found.choices)
        raise pytest.UsageError(f"--init: {found.where} has several applications. Choose one: {names}.")
    if isinstance(found, NoApplication):
        hints = f" There are schema files or migrations in {listed(found.hints, 5)}." if found.hints else ""
        raise pytest.UsageError(
            f"--init: there is no Prisma application in {found.where}, nor above it.{hints} Name its directory by "
            "--app DIR."
        )
    return found


def _draft(application: Application, here: Path) -> tuple[str, str]:
    """The registry's text, and what is left to do."""
    from fixtures.application.draft import frigg, plain

    if application.is_frigg:
        return draft.frigg_registry(frigg(application, here)), "Confirm the names and addresses in it"
    found = plain(application, here)
    return draft.plain_registry(found), f"Set {found.variable.value}, unless Prisma's .env does"


def _told(config: pytest.Config, application: Application, text: str, left: str) -> str:
    """What was written, what is left to do, and the command that comes next."""
    here = config.invocation_params.dir
    try:
        name = registry.parse(text, NAME, here).names[0]
    except RegistryError as error:  # a defect, but the file is there
        return f"wrote {NAME}, which cannot be used: {error}"
    kind = "Frigg" if application.is_frigg else "Prisma"
    program = "migration-health" if INSTALLED else os.path.join(os.path.relpath(ROOT, here), "ci", "gate")
    lines = [
        f"wrote {NAME} for the {kind} application in {application.root}.",
        *(f"note: {note}." for note in application.notes),
        *([f"further applications: {listed(application.others, 5)}"] if application.others else []),
        f"{left}, then: {program} --env={name}",
    ]
    return "\n".join(lines)
