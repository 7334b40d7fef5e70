"""Lists what a person does after the edit of a migration, up to the deploy, by the parts of the environments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from fixtures.layer.rebuild_command import MARK, rebuild
from health.config.environment import Environment
from health.editing.report import EditingAnswer, Step
from health.parts import Part
from health.prisma.version import carrier
from health.sanitize import one_line
from plugins.fixes import commands as shell
from plugins.run.edited_environment import EditedEnvironment


def steps_after(
    answer: EditingAnswer, environments: Mapping[str, Environment], editing: Mapping[str, EditedEnvironment]
) -> Iterator[Step]:
    """List the steps in their order: edit, rows, failed row, commit, layer or image, deploy.

    Args:
        answer: with the verdict on each environment.
        environments: the settings of each.
        editing: each with the migration's failed rows.
    """
    first = next(iter(environments.values()))
    name = answer.migration
    if answer.diff:
        command = f"patch -p1 -d {shell.quote(str(first.migrations))} < {shell.quote(f'{name}.patch')}"
        yield Step("Apply the edit, which --report=DIR writes as a file:", command)
    for place in answer.places:
        if place.verdict is not None and place.verdict.violations:
            yield Step(f"Correct the rows of {place.name} that are named above. Then ask again.")
    for place in answer.places:
        if (clear := editing[place.name].clearing()) is not None:
            title = f"{clear.title} in {place.name}, by psql as the owner of the tables:"
            yield Step(title, clear.body)
    yield from _kept(first, name, edited=bool(answer.diff))
    yield from _built(environments)
    for each, environment in environments.items():
        yield Step(f"Deploy {each}:", shell.deploy(environment))


def _kept(environment: Environment, name: str, *, edited: bool) -> Iterator[Step]:
    """Keep the edit where the next install or checkout finds it."""
    if not edited:
        return
    if (carried := carrier(environment.migrations)) is not None:
        home, package = carried
        command = f"cd {shell.quote(str(home))} && npx patch-package {shell.quote(package)} && git add patches"
        yield Step("Keep the edit as a patch of the package, and commit it:", f"{command} && git commit")
        return
    file = environment.migrations / name / "migration.sql"
    command = f"git -C {shell.quote(str(environment.migrations))} commit -- {shell.quote(str(file))}"
    yield Step("Commit the file:", command)


def _built(environments: Mapping[str, Environment]) -> Iterator[Step]:
    """Build anew what carries the migrations to where they are deployed."""
    layers = {(each.app, each.migrations) for each in environments.values() if Part.LAYER in each.parts}
    for app, migrations in sorted(layers):
        carried = carrier(migrations)
        home = Path(carried[0]) if carried is not None else app
        title = f"Rebuild the layer: {rebuild(home, app)}. First remove the mark of the last build:"
        yield Step(one_line(title, 600), f"rm -f -- {shell.quote(str(home / MARK))}")
    if any(Part.LAYER not in each.parts for each in environments.values()):
        yield Step("Build anew the image or bundle that carries the migrations, if one does.")
