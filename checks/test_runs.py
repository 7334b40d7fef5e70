"""The runs of the migrations that the API has recorded, and the one that was asked for here."""

from collections.abc import Iterator

from checks.causes import FAILED, NO_HISTORY, RUN_LOGGED
from health.check import check
from health.finding import Finding
from health.history.history import WORKER_LIMIT_S
from health.runs.recorded import FriggRuns
from health.runs.triggered import MigrationRun

_CLOSED = ("database-unreachable", "database-login-refused")
_STOPS = (  # a deploy
    *NO_HISTORY, "no-migration-sql", "utf-16-file", "byte-order-mark", "wrong-provider", "pending-objects-exist",
)  # fmt: skip
_MEANS = {
    "INITIALIZING": "No worker has begun it: the queue does not reach the worker, or that ends before its first step.",
    "RUNNING": f"Its worker was ended, by the limit of {WORKER_LIMIT_S} s or for want of memory, before it could "
    "record an end. The queue hands the job out again every 15 min, for 14 days.",
}


@check(finds={"run-stuck": "warning"}, explained_by={"run-stuck": ("migration-running", *FAILED)})
def test_no_stuck_run(runs: FriggRuns) -> Iterator[Finding]:
    """No migration run stands still.

    Frigg records each run in S3: INITIALIZING when it is queued, RUNNING when a worker takes it, then COMPLETED or
    FAILED. A worker may live 900 s. A run without an end that has not changed for longer has lost its worker,
    and no state of its own ever says so: whoever follows it waits for ever.

    Mend what ended the worker. The queue has no dead letters: a job that kills its worker is tried again and again.
    """
    for run in runs.stuck:
        minutes = (runs.read_at - run.updated_at).total_seconds() // 60
        yield Finding(
            "run-stuck",
            run.id,
            f"{run.state} since {run.updated_at:%Y-%m-%d %H:%M} UTC, {minutes:.0f} min ago. {_MEANS[run.state]}",
            {"state": run.state, "stage": run.stage, "bucket": runs.bucket},
        )


@check(
    finds={
        "migration-not-started": "error",
        "migration-run-failed": "error",
        "migration-run-unfinished": "error",
    },
    explained_by={
        "migration-run-failed": (*FAILED, "migration-running", *_STOPS, *_CLOSED, *RUN_LOGGED),
        "migration-run-unfinished": ("migration-running", "crashed-migration", *_CLOSED, *RUN_LOGGED),
    },
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
