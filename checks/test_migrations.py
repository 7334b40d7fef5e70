"""The migrations directory and the history table: what stops a deploy before the first statement."""

from collections.abc import Iterator

from health.check import check
from health.finding import Finding, Place
from health.history.baselining import Prefix
from health.history.history import History
from health.migrations.directory import MigrationDirectory, file_problem, first_undecoded, place_in, undecoded
from health.prisma.engine import LOCK_FILE, PROVIDER, provider
from health.sanitize import short
from health.words import plural

_PROBLEMS = {
    "no file": ("no-migration-sql", "Its directory holds no migration.sql: {effect}"),
    "UTF-16": (
        "utf-16-file",
        "Its file is UTF-16, as some editors and PowerShell save it. Prisma reads every file as UTF-8, and PostgreSQL "
        "takes no NUL: a deploy stops there (P3018).",
    ),
    "byte order mark": (
        "byte-order-mark",
        "Its file begins with a byte order mark, which PostgreSQL takes for a syntax error (P3018).",
    ),
    "open transaction": (
        "transaction-left-open",
        "It begins a transaction and does not end it: a deploy reports success, and nothing of it or of later "
        "migrations stays.",
    ),
}


@check(
    finds={
        "no-migration-sql": "error",
        "utf-16-file": "error",
        "byte-order-mark": "error",
        "transaction-left-open": "error",
        "not-utf-8": "warning",
    }
)
def test_migration_files(history: History) -> Iterator[Finding]:
    """Every migration that a deploy would apply has a file that it can apply.

    A directory without `migration.sql` stops a deploy when its turn comes (P3015); one that is recorded already
    stops Prisma's status. Editors put a byte order mark in front that PostgreSQL does not understand, or save the
    file as UTF-16; where single characters are not UTF-8, others take their place. A `BEGIN` without `COMMIT` is
    the worst: Prisma reports success, and the server throws all of it away.

    Mend the directory, and deploy from the mended checkout.
    """
    applied = history.applied
    for migration in history.directory.migrations:
        if migration.sql is not None and migration.name in applied:
            continue  # what has run needs no look
        problem = file_problem(migration)
        if problem != "UTF-16" and (count := undecoded(migration)):
            message = (
                f"{count} {plural(count, 'character')} of its file {'is' if count == 1 else 'are'} not UTF-8: a deploy "
                "writes U+FFFD in their place, into texts and names too."
            )
            first = place_in(migration.name, first_undecoded(migration))
            yield Finding("not-utf-8", migration.name, message, {"name": migration.name}, place=first)
        if problem is None:
            continue
        effect = "Prisma's status stops there" if migration.name in history.by_name else "a deploy stops there"
        code, message = _PROBLEMS[problem]
        message = message.format(effect=f"{effect} (P3015).")
        place = place_in(migration.name) if migration.sql is not None else None
        yield Finding(code, migration.name, message, {"name": migration.name}, place=place)


@check(finds={"wrong-provider": "error", "conflicted-lock-file": "warning", "no-lock-file": "info"})
def test_migration_lock_file(migrations: MigrationDirectory) -> Iterator[Finding]:
    """The lock file of the migrations names PostgreSQL.

    Prisma compares the first line that begins with `provider` with the application's own, letter by letter:
    another provider, or another spelling of the line, stops status and deploy (P3019). Conflict markers do not,
    as the first such line wins, which may be the wrong one tomorrow. Without the file Prisma goes on.

    Mend it by the line `provider = "postgresql"`.
    """
    text, path = migrations.lock_file, f"{migrations.path}/{LOCK_FILE}"
    if text is None:
        yield Finding("no-lock-file", LOCK_FILE, f"{path} does not exist. Prisma goes on without it.")
        return
    named = provider(text)
    if named != PROVIDER:
        said = "has no line that begins with provider" if named is None else f"names the provider {short(named, 50)}"
        place = Place(LOCK_FILE, _first(text, "provider") or 1)
        yield Finding("wrong-provider", LOCK_FILE, f"{path} {said}: status and deploy stop there (P3019).", place=place)
    elif marker := _first(text, "<<<<<<<", "=======", ">>>>>>>"):
        message = f"{path} holds the markers of a merge conflict."
        yield Finding("conflicted-lock-file", LOCK_FILE, message, place=Place(LOCK_FILE, marker))


def _first(text: str, *beginnings: str) -> int | None:
    """The first line that begins so, from 1."""
    lines = enumerate(text.splitlines(), 1)
    return next((number for number, line in lines if line.startswith(beginnings)), None)


@check(finds={"no-history": "error", "history-in-another-schema": "error", "second-history": "info"})
def test_migration_history_exists(history: History, baseline: Prefix | None) -> Iterator[Finding]:
    """The schema of the environment holds the migration history.

    Prisma keeps `_prisma_migrations` in the first schema of its search path (`?schema=` of the URL). Where a
    schema has tables and no history, a deploy refuses to begin (P3005); with a history in another schema it would
    begin at the first migration.

    Mend it by recording the migrations whose objects exist as applied, or by the right schema in the URL.
    """
    recorded = history.recorded
    elsewhere = ", ".join(recorded.elsewhere)
    if not recorded.table_exists and elsewhere:
        yield Finding(
            "history-in-another-schema",
            recorded.schema,
            f"Schema {recorded.schema} holds no migration history, but {elsewhere} does. A deploy "
            + ("refuses to begin (P3005)." if recorded.base_tables else "would begin at the first migration."),
        )
    elif (not recorded.table_exists and recorded.base_tables) or baseline is not None:
        tables = len(recorded.base_tables)
        has = f"Schema {recorded.schema} has {tables} {plural(tables, 'table')} and"
        yield Finding(
            "no-history",
            recorded.schema,
            f"{has} an empty migration history: a deploy begins at the first migration."
            if recorded.table_exists
            else f"{has} no migration history: every deploy refuses to begin (P3005).",
        )
    elif elsewhere:
        yield Finding(
            "second-history",
            recorded.schema,
            f"Schema {elsewhere} holds a migration history too, which this run does not judge.",
        )
