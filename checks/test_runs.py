"""The runs of the migrations that the API is asked for."""

from collections.abc import Iterator

from health.check import check
from health.finding import Finding
from health.migration_run import MigrationRun


@check(
    finds={
        "migration-not-started": "error",
        "migration-run-failed": "error",
        "migration-run-unfinished": "error",
    }
)
def test_migration_run(migration_run: MigrationRun | None) -> Iterator[Finding]:
    """The run of the migrations that `--migrate` asked for has ended well; without it there is nothing to judge.

    A POST to the API queues a job and says nothing of how it ends. A run that ends as FAILED has left a failed row
    behind which every later deploy stops (P3009), or has not got as far as that. The API's own `error` never holds
    the cause: it stands in the worker's log and in the history, which are read anew after the run.

    Mend what the other findings name, then ask for the migration again. A run that has not ended within
    `limits.migration_s` may still be at work: look at it before anything else, and ask for none beside it.
    """
    run = migration_run
    if run is None or run.state == "COMPLETED":
        return
    told = {
        "id": run.id,
        "state": run.state,
        "stage": run.stage,
        "url": run.url,
        "started_at": run.started_at.isoformat(timespec="seconds"),
        "seconds": round(run.seconds, 1),
    }
    if run.state == "NOT STARTED":
        yield Finding("migration-not-started", run.url, f"Nothing was queued. {run.problem}", told)
    elif run.state == "FAILED":
        said = f"The API says: {run.error}." if run.error else "The API says nothing more."
        message = f"The run ended as FAILED after {run.seconds:.0f} s. {said}"
        yield Finding("migration-run-failed", str(run.id), message, {**told, "error": run.error})
    else:
        yield Finding(
            "migration-run-unfinished",
            str(run.id),
            f"Still {run.state} after {run.seconds:.0f} s, the limit (limits.migration_s). It may go on in AWS.",
            told,
        )
