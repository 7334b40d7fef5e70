"""Groups of finding codes that several checks name as a cause, the likeliest first."""

from health.logs.patterns import codes

FAILED = ("failed-migration", "crashed-migration", "half-applied-migration", "failed-and-applied")
FORESEEN = ("pending-migration-fails", "pending-data-violates")
NO_HISTORY = ("no-history", "history-in-another-schema")
NOT_APPLIED = (
    *NO_HISTORY, "no-migration-sql", "utf-16-file", "byte-order-mark", "transaction-left-open", "pending-objects-exist",
    *FORESEEN, "rolled-back-unapplied", "out-of-order-migration",
)  # fmt: skip
UNAPPLIED = (*FAILED, "rolled-back-unapplied", "out-of-order-migration", "pending-migration")
RUN = ("migration-not-started", "migration-run-failed", "migration-run-unfinished")  # of --migrate
# What the worker's log shows of a run that nothing else does.
RUN_LOGGED = tuple(
    codes("worker")[kind]
    for kind in (
        "lock-timeout", "migration-blocked", "schema-not-empty", "database-unreachable", "credentials-refused",
        "out-of-memory", "timeout",
    )
)  # fmt: skip
