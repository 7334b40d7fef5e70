"""Fixes for the migrations directory and for a missing history."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path

from health.catalog.catalog import Catalog, describe
from health.catalog.changes import Replay
from health.config.environment import Environment
from health.finding import Finding, Fix, NoFix
from health.history.baselining import best_prefix
from health.history.history import History
from health.migrations.directory import MigrationDirectory, utf_16
from health.prisma.engine import LOCK_FILE, PROVIDER
from health.sanitize import one_line, printable
from plugins.fixes import commands as shell
from plugins.fixes import fixes, no_fix

_IN_A_PACKAGE = "In node_modules the next install undoes this: mend the package that the directory comes from."


no_fix(
    {
        "not-utf-8": (
            "None: only a person knows what its characters were.",
            "Open the file in the encoding in which it was written, and save it as UTF-8; or accept that U+FFFD stands "
            "in their place.",
        ),
        ("history-in-another-schema", "second-history"): (
            "None in the database: which schema is the right one is a person's decision.",
            "Compare ?schema= in the DATABASE_URL of the worker with `schema` in the registry: one of them, or the "
            "place of the table, is wrong, and only a person knows which.",
            "Compare ?schema= in the URL ({environment.url_login.source}) with that of the URL by which the "
            "application is deployed: one of them, or the place of the table, is wrong, and only a person knows which.",
        ),
    }
)


@fixes("no-migration-sql")
def no_migration_sql(finding: Finding, history: History) -> Iterator[Fix | NoFix]:
    """Remove the directory if it is empty and not recorded; else restore its file."""
    name = str(finding.evidence["name"])
    if name in history.by_name:
        yield NoFix(
            "The migration is recorded: restore its migration.sql from the version of the code that was deployed."
        )
        return
    yield Fix(
        "command",
        "Remove the directory, which works only while it is empty",
        f"rmdir -- {shell.quote(str(Path(history.directory.path) / name))}",
        undo=f"mkdir -- {shell.quote(str(Path(history.directory.path) / name))}",
        note=_IN_A_PACKAGE,
    )


@fixes("byte-order-mark")
def byte_order_mark(finding: Finding, history: History) -> Iterator[Fix]:
    """Take the three bytes off the file."""
    file = Path(history.directory.path) / str(finding.evidence["name"]) / "migration.sql"
    quoted, new = shell.quote(str(file)), shell.quote(f"{file}.new")
    yield Fix(
        "command",
        "Take the byte order mark off the file",
        f"head -c 3 {quoted} | cmp -s - <(printf '\\357\\273\\277') && "
        f"(set -C; tail -c +4 {quoted} > {new}) && mv {new} {quoted}",
        undo=f"(set -C; {{ printf '\\357\\273\\277'; cat {quoted}; }} > {new}) && mv {new} {quoted}",
        note=f"For bash. Nothing happens where the file does not begin with the mark. {_IN_A_PACKAGE}",
    )


@fixes("utf-16-file")
def utf_16_file(finding: Finding, history: History) -> Iterator[Fix]:
    """Save the file as UTF-8; what it was is kept beside it."""
    name = str(finding.evidence["name"])
    encoding = utf_16(history.directory.by_name[name].sql or "") or "UTF-16"
    file = Path(history.directory.path) / name / "migration.sql"
    quoted, new, old = (shell.quote(str(each)) for each in (file, f"{file}.new", f"{file}.utf-16"))
    yield Fix(
        "command",
        "Save the file as UTF-8",
        f"[ ! -e {old} ] && (set -C; iconv -f {encoding} -t UTF-8 {quoted} > {new}) && mv {quoted} {old} && "
        f"mv {new} {quoted}",
        undo=f"iconv -f {encoding} -t UTF-8 {old} | cmp -s - {quoted} && mv {old} {quoted}",
        note=f"What it was stays beside it, where Prisma takes no notice of it. {_IN_A_PACKAGE}",
    )


@fixes("transaction-left-open")
def transaction_left_open(finding: Finding, history: History) -> Iterator[Fix | NoFix]:
    """Add the COMMIT that is missing."""
    name = str(finding.evidence["name"])
    begins = (history.directory.by_name[name].sql or "").lstrip().upper().startswith("BEGIN")
    file = Path(history.directory.path) / name / "migration.sql"
    yield Fix(
        "command",
        "Add the missing COMMIT at the end of the file",
        f"printf '\\nCOMMIT;\\n' >> {shell.quote(str(file))}",
        note=("Prisma runs a file as one transaction anyway: taking BEGIN away does the same. " if begins else "")
        + f"To undo it, take the two last lines away again. {_IN_A_PACKAGE}",
    )


@fixes("wrong-provider", "conflicted-lock-file", "no-lock-file")
def lock_file(finding: Finding, migrations: MigrationDirectory) -> Iterator[Fix | NoFix]:
    """A patch, or a command, that leaves the one line that Prisma reads."""
    path = Path(migrations.path) / LOCK_FILE
    line = f'provider = "{PROVIDER}"\n'
    before = migrations.lock_file
    if before is None:
        yield Fix(
            "command",
            "Write the lock file",
            f"(set -C; printf '%s\\n' {shell.quote(line.rstrip())} > {shell.quote(str(path))})",
            undo=f"printf '%s\\n' {shell.quote(line.rstrip())} | cmp -s - {shell.quote(str(path))} && "
            f"rm -- {shell.quote(str(path))}",
            note=_IN_A_PACKAGE,
            rank=20,
        )
        return
    if printable(before) != before or "\r" in before:
        yield NoFix(f"The file holds control characters: write it anew with the one line {line.strip()}.")
        return
    diff = "".join(
        each if each.endswith("\n") else f"{each}\n\\ No newline at end of file\n"
        for each in difflib.unified_diff(
            before.splitlines(keepends=True), [line], f"a/{LOCK_FILE}", f"b/{LOCK_FILE}", n=0
        )
    )
    directory = shell.quote(migrations.path)
    yield Fix(
        "patch",
        "Let the lock file name PostgreSQL: save this as lock.diff, then run the patch command",
        diff,
        undo=f"patch -R -d {directory} -p1 < lock.diff",
        note=f"patch -d {directory} -p1 < lock.diff",
    )


@fixes("no-history")
def no_history(
    finding: Finding, history: History, environment: Environment, replay: Replay, catalog: Catalog
) -> Iterator[Fix | NoFix]:
    """Make the table and record the migrations whose objects exist, as `resolve --applied` does for each."""
    from plugins.fixes.migrations.baseline_sql import create, drop

    if unknown := next(filter(None, map(replay.unknown, history.directory.by_name)), None):
        yield NoFix(f"Which migrations the tables come from cannot be told: {unknown}.")
        return
    prefix = best_prefix(history.directory, replay, catalog)
    if prefix.missing or prefix.differing:
        objects = ", ".join(one_line(describe(key)) for key in (*prefix.missing, *prefix.differing)[:8])
        yield NoFix(
            f"The tables are most like those after {prefix.count} of {len(history.directory.migrations)} migrations, "
            f"but not the same: {objects}. Mend these by hand, then run again."
        )
        return
    # One without a file has no checksum that could be recorded.
    recorded = [migration for migration in history.directory.migrations[: prefix.count] if migration.checksum]
    yield Fix(
        "sql",
        f"Make the history and record the {len(recorded)} migrations whose objects are all there"
        if recorded
        else "Make an empty history: nothing that a migration makes is there",
        create(history, catalog, recorded),
        undo=drop(history, recorded),
        note="What is not recorded is applied by the next deploy.",
    )
    if not recorded:
        return
    schema = shell.quote(str(environment.schema_path))
    names = " ".join(shell.quote(migration.name) for migration in recorded)
    yield Fix(
        "command",
        "Prisma's own command does the same: prisma migrate resolve --applied, one by one",
        f"for name in {names}; do {environment.prisma_cli} migrate resolve "
        f'--applied="$name" --schema={schema} || break; done',
        fallback=True,
        note=f"DATABASE_URL must lead {shell.way(environment)}. Prisma has no command that takes it back.",
    )
