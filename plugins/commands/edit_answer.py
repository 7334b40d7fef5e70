"""Answers ``--editing``: a migration's state, what conflicts with it, and one edit that the gate proves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace

from fixtures.clone.server import CloneError
from fixtures.editing.trial import EmptyRun, conflicts, equivalent, on_empty, unlike
from fixtures.facts import Facts
from fixtures.layer.rebuild_command import warnings
from health.config.environment import Environment
from health.editing.advice import beginning, migration_state, traps, unified
from health.editing.names import EditingError, resolve
from health.editing.report import EditingAnswer, EnvironmentAnswer
from health.editing.verdict import EditVerdict, conflicting
from health.finding import CouldNotCheck, NothingToCheck
from health.history.effects import MigrationEffect
from health.history.history import History
from health.migrations.directory import Migration, MigrationDirectory
from health.parts import Part
from health.sanitize import one_line
from health.sql.if_not_exists import Statement, edited, statements
from plugins.commands.edit_steps import steps_after
from plugins.run.edited_environment import EditedEnvironment

NEEDED = ("history", "recorded_effects", "catalog", "environment_copy", "replays")

Edited = Mapping[str, EditedEnvironment]


@dataclass(frozen=True)
class _Model:
    """The statements of the file, and what they do on an empty database."""

    parts: tuple[Statement, ...]
    empty_run: EmptyRun


def in_directory(name: str, facts: Facts) -> EditingAnswer:
    """Say what the directory alone shows of a migration.

    Args:
        name: of the migration, or the beginning of it.
        facts: of an environment whose database is not asked.

    Raises:
        EditingError: the directory cannot be read, or holds no such migration.
    """
    try:
        directory: MigrationDirectory = facts["migrations"]
    except CouldNotCheck as error:
        raise EditingError(str(error)) from None
    name = resolve(name, names_in([directory]))
    model = _model(facts, directory, directory.by_name[name])
    return replace(_common(name, facts, directory), problem=model if isinstance(model, str) else None)


def in_environments(name: str, read: Mapping[str, Facts]) -> EditingAnswer:
    """Say what several environments show of a migration, and the one edit that applies in all of them.

    Args:
        name: of the migration, or the beginning of it.
        read: the facts of each environment by its name.

    Raises:
        EditingError: a directory holds no such migration, or the directories hold different files of it.
    """
    directories = _readable(read)
    name = resolve(name, names_in(directories.values())) if directories else name
    with ExitStack() as owned:
        editing: dict[str, EditedEnvironment] = {}
        places = []
        for each, facts in read.items():
            try:
                _ = facts["migrations"], facts["history"]
                editing[each] = owned.enter_context(closing(EditedEnvironment(facts, name)))
                state = migration_state(facts["history"], name)
                places.append(EnvironmentAnswer(each, state, _extent(editing[each].effect)))
            except (CouldNotCheck, NothingToCheck) as error:
                places.append(EnvironmentAnswer(each, why_unanswered=str(error)))
        if not directories:
            return EditingAnswer(name, tuple(places))
        first, directory = next(iter(directories.items()))
        migration = directory.by_name[name]
        if any(other.by_name[name].sql != migration.sql for other in directories.values()):
            raise EditingError(
                f"the environments' directories hold different files of {one_line(name)}. "
                "Name one directory by --migrations=DIR."
            )
        answer = replace(_common(name, read[first], directory), places=tuple(places))
        if any(place.state is None or not place.state.open for place in places):
            return answer
        if (reason := _unfit(migration)) is not None:
            return replace(answer, problem=reason)
        answer = _edit(answer, read, editing, directory)
        if not answer.leads_on:
            return answer
        environments: dict[str, Environment] = {each: facts["environment"] for each, facts in read.items()}
        steps = tuple(steps_after(answer, environments, editing))
        own = environments[first]
        return replace(answer, steps=steps, warnings=warnings(own.app, own.migrations, layer=False))


def _readable(read: Mapping[str, Facts]) -> dict[str, MigrationDirectory]:
    """Read the migrations directories, as far as they can be read; nothing else is read for it."""
    found = {}
    for each, facts in read.items():
        try:
            found[each] = facts["migrations"]
        except (CouldNotCheck, NothingToCheck):  # the answer of that environment says why
            continue
    return found


def names_in(directories: Iterable[MigrationDirectory]) -> dict[str, list[str]]:
    """Name the migrations of each directory, by its path."""
    return {each.path: [migration.name for migration in each.migrations] for each in directories}


def _edit(
    answer: EditingAnswer, read: Mapping[str, Facts], editing: Edited, directory: MigrationDirectory
) -> EditingAnswer:
    """Judge the file as it is; where it conflicts with a schema, guard it for all environments, and judge that."""
    script = directory.by_name[answer.migration].sql or ""
    looked = [_look(place, read[place.name], editing[place.name], script) for place in answer.places]
    answer = replace(answer, places=tuple(place for place, _ in looked))
    clashing = {place.name for place, clashes in looked if clashes}
    if not clashing:
        return _judged(answer, editing, script)
    facts = read[answer.places[0].name]
    model = _model(facts, directory, directory.by_name[answer.migration])
    if isinstance(model, str):
        return replace(answer, problem=model)
    places = tuple(
        _conflicts(place, read[place.name], answer.migration, model) if place.name in clashing else place
        for place in answer.places
    )
    answer = replace(answer, places=places)
    found = [conflict for place in places for conflict in place.conflicts]
    if any(conflict.reason for conflict in found):
        return answer
    text, bare = edited(script, frozenset(conflict.number for conflict in found))
    if text is None:
        lines = tuple(f"line {model.parts[number].line}: {beginning(model.parts[number].text)}" for number in bare)
        return replace(answer, bare=lines)
    return _judged(answer, editing, script) if text == script else _guarded(answer, facts, editing, directory, text)


def _guarded(
    answer: EditingAnswer, facts: Facts, editing: Edited, directory: MigrationDirectory, text: str
) -> EditingAnswer:
    """Judge the file with guards, which must make of an empty database what it makes without them."""
    changed = editing[answer.places[0].name].directory(text)
    try:
        same = equivalent(facts["replays"], directory, changed, answer.migration)
    except (CloneError, CouldNotCheck) as error:
        return replace(answer, problem=f"the edit could not be tried: {error}")
    if not same:
        return replace(answer, problem="with guards, the file makes another schema of an empty database")
    diff = unified(answer.migration, directory.by_name[answer.migration].sql or "", text)
    return replace(_judged(answer, editing, text), diff=diff)


def _look(
    place: EnvironmentAnswer, facts: Facts, editing: EditedEnvironment, script: str
) -> tuple[EnvironmentAnswer, bool]:
    """Find out whether the file, as it is, fails on the schema of an environment."""
    try:
        forecast = editing.foresee(script)
        known = facts["environment"].known_differences
        changed = {change.key for change in forecast.changes}
        reason = unlike(facts["environment_copy"].copy, facts["catalog"], changed, known=known)
    except (CloneError, CouldNotCheck, NothingToCheck) as error:
        return replace(place, why_unanswered=str(error)), False
    foreseen = forecast.by_name.get(editing.name)
    clashes = reason is None and foreseen is not None and conflicting(foreseen)
    return replace(place, why_unanswered=reason), clashes


def _judged(answer: EditingAnswer, editing: Edited, script: str) -> EditingAnswer:
    return replace(answer, places=tuple(_verdict(place, editing[place.name], script) for place in answer.places))


def _verdict(place: EnvironmentAnswer, editing: EditedEnvironment, script: str) -> EnvironmentAnswer:
    if place.why_unanswered is not None:
        return place
    try:
        return replace(place, verdict=editing.judge(script))
    except (CloneError, CouldNotCheck, NothingToCheck) as error:
        return replace(place, verdict=EditVerdict(one_line(str(error))))


def _conflicts(place: EnvironmentAnswer, facts: Facts, name: str, model: _Model) -> EnvironmentAnswer:
    if place.why_unanswered is not None:
        return place
    try:
        earlier = _before(facts["history"], name)
        found, reason = conflicts(facts["environment_copy"].copy, earlier, model.parts, model.empty_run)
    except (CloneError, CouldNotCheck, NothingToCheck) as error:
        return replace(place, why_unanswered=str(error))
    return replace(place, conflicts=found, why_unanswered=reason)


def _common(name: str, facts: Facts, directory: MigrationDirectory) -> EditingAnswer:
    environment: Environment = facts["environment"]
    return EditingAnswer(
        name,
        traps=tuple(traps(directory, name)),
        warnings=warnings(environment.app, environment.migrations, layer=Part.LAYER in environment.parts),
    )


def _model(facts: Facts, directory: MigrationDirectory, migration: Migration) -> _Model | str:
    """What the file does, or why it is no model for an edit."""
    if (reason := _unfit(migration)) is not None:
        return reason
    parts = statements(migration.sql or "")
    if parts is None:
        return "the file could not be taken apart into statements"
    try:
        empty_run = on_empty(facts["replays"], directory, migration.name, parts)
    except (CloneError, CouldNotCheck) as error:
        return f"it could not be tried: {error}"
    if empty_run.before:
        return f"what stands before it does not run on an empty database: {empty_run.before[0]}"
    if empty_run.problem is not None:
        return f"the file itself does not run on an empty database: {empty_run.problem}"
    return _Model(parts, empty_run)


def _unfit(migration: Migration) -> str | None:
    if migration.sql is None:
        return "it has no migration.sql"
    if "\ufffd" in migration.sql:
        return "the file is not UTF-8. Save it as UTF-8 first"
    if migration.sql.startswith("\ufeff"):
        return "the file begins with a byte order mark. Save it without first"
    return None


def _before(history: History, name: str) -> list[Migration]:
    """What is not applied yet and stands before a migration."""
    listed = history.directory.migrations
    place = [each.name for each in listed].index(name)
    return [each for each in listed[:place] if each.name not in history.applied]


def _extent(effect: MigrationEffect | None) -> str | None:
    if effect is None:
        return None
    match effect.extent:
        case "nothing":
            return "Nothing of it took effect."
        case "all":
            return "All that it makes is there."
        case "part":
            total = len(effect.done) + len(effect.missing) + len(effect.differing)
            return f"{len(effect.done)} of its {total} objects are there."
        case _:
            return f"Unknown: {effect.reason}"
